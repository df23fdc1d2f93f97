"""Bytes and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from console_ui.web.quantities import ago, at, bytes_in_words, exactly, soon
from console_ui.web.templatetags.page import is_tight, space


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_500_000, "1.5 MB"),
        (999_999_999, "1 GB"),
        (240 * 10**9, "240 GB"),
        (3_624 * 10**9, "3.62 TB"),
        (5_000 * 10**15, "5000 PB"),
    ],
)
def test_bytes_count_in_thousands_as_disks_are_sold(count: int, words: str) -> None:
    assert bytes_in_words(count).replace("\xa0", " ") == words


def test_french_bytes_have_a_comma_and_octets() -> None:
    with translation.override("fr"):
        assert bytes_in_words(1_500_000) == "1,5\xa0Mo"
        assert bytes_in_words(2) == "2\xa0octets"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(hours=2, minutes=59), "2 hours ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
    ],
)
def test_moments_are_told_from_now_up_to_a_day(passed: timedelta, words: str) -> None:
    assert ago(timezone.now() - passed) == words


def test_older_moments_have_their_weekday_and_date() -> None:
    assert ago(datetime(2026, 11, 8, 18, 5, tzinfo=UTC)) == "Sun 8 November 2026"


def test_a_limit_is_tight_when_less_than_a_tenth_is_left() -> None:
    assert not is_tight(90, 100)
    assert is_tight(91, 100)
    assert not is_tight(10**15, None)
    assert (space(91, 100)["percent"], space(300, 100)["percent"]) == (91, 100)


def test_days_are_written_in_the_readers_language() -> None:
    moment = datetime(2026, 11, 24, 3, 31, 7, tzinfo=UTC)
    assert (at(moment), exactly(moment)) == ("24 Nov 2026, 03:31", "Tue 24 Nov 2026, 03:31:07")
    with translation.override("fr"):
        assert at(moment) == "24 nov. 2026, 03:31"


def test_what_is_to_come_is_today_tomorrow_or_a_date() -> None:
    today = timezone.now().replace(hour=12, minute=30)
    assert soon(today) == "Today, 12:30"
    assert soon(today + timedelta(days=1)) == "Tomorrow, 12:30"
    assert soon(datetime(2030, 11, 24, 3, 31, tzinfo=UTC)) == "24 Nov, 03:31"
