"""Where the time goes that everybody waits for."""

from __future__ import annotations

import pytest
from stopwatch import LIMIT_MINUTES, Stopwatch


def test_the_longest_part_comes_first_and_the_sum_last() -> None:
    told = str(Stopwatch({"mypy": 20.4, "pytest tests/console": 600, "ruff check": 0.2}))

    lines = [line.split(maxsplit=2) for line in told.splitlines()]
    assert lines == [
        ["600", "s", "pytest tests/console"],
        ["20", "s", "mypy"],
        ["0", "s", "ruff check"],
        ["621", "s", "everything"],
    ]


@pytest.mark.parametrize(("seconds", "warned"), [(60 * LIMIT_MINUTES, False), (3000, True)])
def test_a_run_that_nobody_waits_for_is_warned_of(seconds: float, warned: bool) -> None:
    assert ("Warning: that is more than 40 minutes" in str(Stopwatch({"all": seconds}))) is warned


def test_a_part_that_fails_is_timed_too() -> None:
    stopwatch = Stopwatch()

    with pytest.raises(KeyError), stopwatch.timing("part"):
        raise KeyError

    assert stopwatch.parts["part"] >= 0
