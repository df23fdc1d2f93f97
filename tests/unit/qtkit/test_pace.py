"""Rate and time left, with times that the tests make up."""

from __future__ import annotations

from backup_agent.qtkit import words
from backup_agent.qtkit.pace import Pace


def test_rate_and_time_left_follow_from_what_was_done() -> None:
    pace = Pace(started=100.0)
    pace.add(0, 1000, 100.0)
    view = pace.add(100, 1000, 110.0)
    assert (view.bytes_per_second, view.seconds_left, view.percent) == (10.0, 90.0, 10)


def test_nothing_is_guessed_before_two_seconds_or_without_a_total() -> None:
    pace = Pace(started=0.0)
    pace.add(0, 0, 0.0)
    assert pace.add(50, 0, 1.0).bytes_per_second is None
    assert pace.add(90, 0, 3.0).seconds_left is None


def test_a_line_that_was_down_soon_counts_no_more() -> None:
    pace = Pace(started=0.0)
    pace.add(100, 10_000, 0.0)
    pace.add(100, 10_000, 300.0)
    for second in range(301, 325):
        view = pace.add(100 + (second - 300) * 50, 10_000, float(second))
    assert view.bytes_per_second == 50.0
    assert view.seconds_so_far == 324.0


def test_a_hundred_percent_are_shown_for_nothing_less() -> None:
    pace = Pace(started=0.0)
    assert pace.add(999_999, 1_000_000, 1.0).percent == 99
    assert pace.add(1_000_000, 1_000_000, 2.0).percent == 100


def test_numbers_read_as_disks_are_sold() -> None:
    assert [words.size(n) for n in (17, 1500, 512 * 10**9, 999_999, 1_000_204_886_016)] == [
        "17 bytes",
        "1.5 KB",
        "512 GB",
        "1 MB",
        "1 TB",
    ]
    assert [words.duration(n) for n in (1, 1260, 4320)] == [
        "1 second",
        "21 minutes",
        "1 hour 12 minutes",
    ]
