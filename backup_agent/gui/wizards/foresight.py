"""What a plan would have kept in a year, if it ran as it says from now on. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from backup_agent.agent.schedule import EveryHours, OnRequest, Schedule, next_occurrence
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import RetentionPolicy, plan_forget
from backup_agent.model.snapshot import Snapshot
from backup_agent.qtkit.retention_line import Judged

_YEAR = timedelta(days=365)
_MOST = 1500
_NO_TREE = BlobId(bytes(32))


def foresee(
    schedule: Schedule, policy: RetentionPolicy | None, *, now: datetime
) -> tuple[Judged, ...]:
    """Every run of the year that stays in the end, and those of the last weeks that go.

    Each run removes what is not kept, as the real ones do. Empty for a plan that waits to be
    asked. One that runs more than 1,500 times a year is taken to run once a day.
    """
    if isinstance(schedule, OnRequest):
        return ()
    runs = list(islice(_runs(schedule, now), _MOST))
    if policy is None or policy.is_empty:
        return tuple(Judged(time, stays=True) for time in runs)
    snapshots = [_made_at(time, number) for number, time in enumerate(runs)]
    end = runs[-1]
    kept: list[Snapshot] = []
    gone: list[Snapshot] = []
    for snapshot in snapshots:
        plan = plan_forget([*kept, snapshot], policy, now=end)
        kept = sorted((k.snapshot for k in plan.keep), key=lambda one: one.time)
        gone += plan.remove
    ages = [Judged(one.time, stays=True) for one in kept]
    recent = end - timedelta(days=60)
    ages += [Judged(one.time, stays=False) for one in gone if one.time > recent]
    return tuple(sorted(ages, key=lambda one: one.time))


def _runs(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    zone = now.tzinfo
    assert zone is not None
    time = now
    many = isinstance(schedule, EveryHours) and _YEAR / timedelta(hours=schedule.hours) > _MOST
    if many:
        schedule = EveryHours(hours=24)
    while (following := next_occurrence(schedule, after=time, zone=zone)) is not None:
        if following > now + _YEAR:
            return
        yield following
        time = following


def _made_at(time: datetime, number: int) -> Snapshot:
    return Snapshot(id=SnapshotId(f"{number:08d}"), time=time, tree=_NO_TREE, paths=())
