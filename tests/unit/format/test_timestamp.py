"""Times: Go's forms in, Go's form out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.timestamp import (
    decode_datetime,
    decode_ns,
    encode_datetime,
    encode_ns,
)

SECOND = 1_000_000_000
FIRST = -62_135_596_800 * SECOND
LAST = 253_402_300_800 * SECOND - 1


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T14:30:00.5-09:30", SECOND // 2),
        ("2024-02-29T12:00:00Z", 1_709_208_000 * SECOND),
        ("2000-02-29T00:00:00+14:00", 951_732_000 * SECOND),
        ("0001-01-01T00:00:00Z", FIRST),
        ("9999-12-31T23:59:59.999999999Z", LAST),
        ("0000-12-31T23:59:59.999999999Z", FIRST - 1),
        ("0000-01-01T00:00:00Z", FIRST - 366 * 86_400 * SECOND),
        ("0000-02-29T00:00:00Z", FIRST - 307 * 86_400 * SECOND),
    ],
)
def test_every_form_go_writes_is_read(text: str, ns: int) -> None:
    assert decode_ns(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00Z\n",
        "12024-01-01T00:00:00Z",
        "0000-13-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_damage(text: str) -> None:
    with pytest.raises(IntegrityError):
        decode_ns(text)
    with pytest.raises(IntegrityError):
        decode_datetime(text)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (100, "1970-01-01T00:00:00.0000001Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (10 * SECOND, "1970-01-01T00:00:10Z"),
    ],
)
def test_times_are_written_without_trailing_zeros(ns: int, text: str) -> None:
    assert encode_ns(ns) == text


@given(st.integers(FIRST, LAST))
def test_every_time_of_the_calendar_comes_back(ns: int) -> None:
    assert decode_ns(encode_ns(ns)) == ns


@pytest.mark.parametrize(("beyond", "end"), [(FIRST - 41 * SECOND, FIRST), (LAST + 1, LAST)])
@pytest.mark.parametrize("more", [0, 1, 10**27])
def test_times_beyond_the_calendar_become_its_ends(beyond: int, end: int, more: int) -> None:
    far = beyond - more if end == FIRST else beyond + more

    assert decode_ns(encode_ns(far)) == end


@given(
    moment=st.datetimes(),
    offset=st.integers(-24 * 60 + 1, 24 * 60 - 1),
)
def test_a_moment_keeps_its_offset(moment: datetime, offset: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))

    found = decode_datetime(encode_datetime(aware))

    assert found == aware
    assert found.utcoffset() == aware.utcoffset()


def test_utc_is_written_as_z() -> None:
    assert encode_datetime(datetime(2024, 5, 1, 2, 3, 4, 50_000, UTC)) == "2024-05-01T02:03:04.05Z"
