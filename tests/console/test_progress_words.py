"""What people read of a backup that runs: never more than is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console_ui.activity.models import Run
from console_ui.activity.progress import progress_words


def running(done: int, total: int, *, seconds: int = 100) -> Run:
    now = timezone.now()
    begun = now - timedelta(seconds=seconds)
    return Run(started_at=begun, progress_at=now, bytes_done=done, bytes_total=total)


def test_half_way_is_half_of_the_time() -> None:
    words = progress_words(running(30 * 10**6, 60 * 10**6, seconds=600))

    assert (words.title, words.percent, words.left) == ("50 %", 50, "about 10 minutes left")


def test_an_unknown_total_is_no_percentage() -> None:
    assert progress_words(running(5, 0)).title == "Reading"


def test_near_the_last_runs_total_no_end_is_promised() -> None:
    words = progress_words(running(96, 100))

    assert (words.percent, words.left) == (96, "")


@pytest.mark.parametrize("done", [100, 250])
def test_what_is_more_than_last_time_is_said_to_be(done: int) -> None:
    words = progress_words(running(done, 100))

    assert (words.title, words.percent, words.left) == ("More than last time", None, "")
