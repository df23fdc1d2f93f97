"""When a plan's next run is due, by its schedule and by what became of earlier ones. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome
from backup_agent.agent.schedule import next_occurrence

_FIRST_RETRY = timedelta(minutes=10)
_LONGEST_RETRY = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the latest runs of a plan came to; starts that lie in the future are left out, for
    they tell of a wrong clock.

    ``interrupted``: the last one was stopped by a pause or with the agent, and is owed.
    ``fruitless``: how many at the end of the list left no restore point and were not stopped.
    ``last_good``: the start of the latest that left one.
    """

    last_start: datetime | None = None
    last_end: datetime | None = None
    last_outcome: Outcome | None = None
    interrupted: bool = False
    last_good: datetime | None = None
    fruitless: int = 0


def next_run(plan: Plan, record: Record, *, now: datetime, zone: tzinfo) -> datetime | None:
    """When it is due; the past for one that was missed, None for one that waits to be asked.

    Missed runs are made up for by one. After a failure it is tried again, ever more seldom, but
    not later than the schedule says.
    """
    if record.last_start is None:
        return _first_run(plan, now=now, zone=zone)
    if record.interrupted:
        return record.last_end
    regular = next_occurrence(plan.schedule, after=record.last_start, zone=zone)
    retry = _retry(record)
    if regular is None or retry is None:
        return regular
    return min(regular, retry)


def _first_run(plan: Plan, *, now: datetime, zone: tzinfo) -> datetime | None:
    counted_from = plan.since if plan.since is not None and plan.since <= now else None
    if counted_from is not None:
        return next_occurrence(plan.schedule, after=counted_from, zone=zone)
    has_schedule = next_occurrence(plan.schedule, after=now, zone=zone) is not None
    return now if has_schedule else None


def _retry(record: Record) -> datetime | None:
    """Storage that was gone for an hour must not cost a day."""
    if not record.fruitless or record.last_end is None:
        return None
    if record.last_outcome is Outcome.BROKEN_OFF and record.fruitless == 1:
        return record.last_end
    return record.last_end + min(
        _FIRST_RETRY * 2.0 ** min(record.fruitless - 1, 10), _LONGEST_RETRY
    )
