"""Times of FAT and exFAT."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from backup_agent.filesystems.files.dos_time import nanoseconds


def stamp(moment: datetime) -> tuple[int, int]:
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


@pytest.mark.parametrize("quarters", [-48, -1, 0, 4, 22, 56])
def test_time_with_its_distance_from_utc_is_exact(quarters: int) -> None:
    zone = timezone(timedelta(minutes=15 * quarters))
    moment = datetime(2026, 11, 22, 20, 17, 42, tzinfo=zone)
    seconds = int(moment.astimezone(UTC).timestamp())
    assert nanoseconds(*stamp(moment), offset_quarters=quarters) == seconds * 10**9
    finer = nanoseconds(*stamp(moment), offset_quarters=quarters, hundredths=199)
    assert finer == seconds * 10**9 + 1_990_000_000


def test_time_without_a_zone_is_that_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    try:
        assert nanoseconds(*stamp(moment)) == (int(moment.timestamp()) + 5 * 3600) * 10**9
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("date", "clock"), [(0, 0), (13 << 5 | 1, 0), (1 << 5 | 1, 25 << 11)])
def test_date_that_is_none_is_no_time(date: int, clock: int) -> None:
    assert nanoseconds(date, clock) == 0
