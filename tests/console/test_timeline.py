"""What was there at certain moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console_ui.storage.timeline import Stay, amounts_at

MOMENTS = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
FIRST, SECOND, THIRD, FOURTH = MOMENTS


def test_what_came_at_a_moment_counts_there_and_what_went_at_it_does_not() -> None:
    assert amounts_at(MOMENTS, [Stay(5, SECOND, FOURTH)]) == [0, 5, 5, 0]


def test_what_was_there_from_ever_and_still_is_counts_everywhere() -> None:
    assert amounts_at(MOMENTS, [Stay(5, None, None), Stay(2, None, SECOND)]) == [7, 5, 5, 5]


def test_what_came_and_went_between_two_moments_counts_nowhere() -> None:
    noon = SECOND + timedelta(hours=12)
    assert amounts_at(MOMENTS, [Stay(5, noon, noon + timedelta(hours=1))]) == [0, 0, 0, 0]


def test_what_was_hidden_before_it_came_counts_nowhere() -> None:
    """A clock that was set back."""
    assert amounts_at(MOMENTS, [Stay(5, THIRD, FIRST)]) == [0, 0, 0, 0]
