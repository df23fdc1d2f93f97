"""Runs, added up day by day for the history chart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from backup_agent.agent.ran import JobKind, Outcome, RunQuery, RunView
from backup_agent.qtkit.history import Day, History
from backup_agent.qtkit.state import State

HISTORY_DAYS = 30
_MOST_RUNS = 1000

_WORST_LAST = (None, State.PAUSED, State.OK, State.WARNING, State.PROBLEM)
_STATES = {
    Outcome.DONE: State.OK,
    Outcome.INCOMPLETE: State.WARNING,
    Outcome.FAILED: State.PROBLEM,
    Outcome.BROKEN_OFF: State.PROBLEM,
}


def query_of(plan_id: str = "") -> RunQuery:
    """The runs that :func:`history_of` wants."""
    return RunQuery(plan_id=plan_id, kinds=(JobKind.BACKUP,), limit=_MOST_RUNS)


def history_of(runs: Sequence[RunView], now: datetime, *, days: int = HISTORY_DAYS) -> History:
    """Each day up to today with what its backups added together; its state is the worst one.

    A run that was stopped says nothing about its day.
    """
    first = now.date() - timedelta(days=days - 1)
    found: dict[date, Day] = {}
    for number in range(days):
        day = first + timedelta(days=number)
        found[day] = Day(day)
    for run in runs:
        day = run.started_at.astimezone(now.tzinfo).date()
        if run.ran is None or day not in found:
            continue
        before, state = found[day], _STATES.get(run.ran.outcome)
        found[day] = replace(
            before,
            added=before.added + run.ran.bytes_added,
            seconds=before.seconds + (run.ran.ended_at - run.started_at).total_seconds(),
            state=max(before.state, state, key=_WORST_LAST.index),
        )
    return History(tuple(found.values()))
