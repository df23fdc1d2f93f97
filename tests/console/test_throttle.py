"""Counting attempts: whatever happens at once, and from wherever they come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import QuerySet

from console_ui.accounts import throttle
from console_ui.accounts.models import ThrottleRow

RULE = throttle.Rule(
    name="test",
    free=3,
    window=timedelta(hours=1),
    first_wait=timedelta(minutes=1),
    longest=timedelta(minutes=10),
)


def test_a_count_that_goes_before_it_is_locked_begins_anew(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when somebody logs in while somebody else guesses at the same account."""
    throttle.attempt(RULE, "somebody")
    lock = QuerySet.select_for_update
    looked: list[str] = []

    def slowly(rows: QuerySet[ThrottleRow]) -> QuerySet[ThrottleRow]:
        if not looked:
            looked.append("once")
            throttle.succeeded(RULE, "somebody")
        return lock(rows)

    monkeypatch.setattr(QuerySet, "select_for_update", slowly)

    assert throttle.attempt(RULE, "somebody") is None
    assert ThrottleRow.objects.get().attempts == 1


@pytest.mark.usefixtures("transactional_db")
def test_of_attempts_at_once_each_is_counted_and_none_fails() -> None:
    def attempt(_number: int) -> bool:
        try:
            return throttle.attempt(RULE, "somebody") is None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        passed = list(pool.map(attempt, range(12)))

    assert sum(passed) == RULE.free
    assert ThrottleRow.objects.get().attempts == RULE.free
