"""What there is to do, and in which order: plans, their history and how things are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TypeAlias

from backup_agent.agent.conditions import Circumstances, Conditions, Unmet, unmet
from backup_agent.agent.due import Record, next_run
from backup_agent.agent.ledger import Ledger
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind
from backup_agent.agent.settings import Settings
from backup_agent.agent.storage_location import StorageLocation

Present: TypeAlias = Callable[[StorageLocation], bool]
"""Whether the disk that a location lies on is there; always, for one that lies on none."""

_WEEK, _DAY = timedelta(days=7), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Order:
    """One job to be done. ``asked``: somebody wants it, so no condition holds it up."""

    plan: Plan
    kind: JobKind = JobKind.BACKUP
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a plan stands. ``upkeep``: what else is due for it."""

    plan: Plan
    record: Record
    next_run_at: datetime | None
    waits_for: Unmet | None
    paused_until: datetime | None
    upkeep: tuple[JobKind, ...] = ()

    def is_due(self, now: datetime) -> bool:
        return self.next_run_at is not None and self.next_run_at <= now

    @property
    def may_run(self) -> bool:
        return self.waits_for is None and self.paused_until is None


class Agenda:
    """Asks the ledger anew each time: it may have been written by others meanwhile."""

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        circumstances: Callable[[], Circumstances],
        present: Present,
        zone: Callable[[], tzinfo],
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._circumstances = circumstances
        self._present = present
        self._zone = zone

    def standings(self, plans: tuple[Plan, ...], *, now: datetime) -> tuple[Standing, ...]:
        pauses = self._settings.pauses()
        zone = self._zone()
        standings = []
        for plan in plans:
            record = self._ledger.record(plan.id, now=now)
            due = next_run(plan, record, now=now, zone=zone)
            upkeep = tuple(self._upkeep(plan, record, now=now, zone=zone))
            has_work = bool(upkeep) or (due is not None and due <= now)
            standings.append(
                Standing(
                    plan=plan,
                    record=record,
                    next_run_at=due,
                    # Looking at batteries and networks costs something: only where it matters.
                    waits_for=self._waits_for(plan) if has_work else None,
                    paused_until=pauses.of(plan.id, now=now),
                    upkeep=upkeep,
                )
            )
        return tuple(standings)

    def next_order(self, plans: tuple[Plan, ...], *, now: datetime) -> Order | None:
        """The backup that waits longest; upkeep when no backup is due."""
        ready = [each for each in self.standings(plans, now=now) if each.may_run]
        late = [(each.next_run_at, each.plan) for each in ready if each.is_due(now)]
        if late:
            return Order(min(late, key=lambda each: each[0] or now)[1])
        return next((Order(each.plan, kind) for each in ready for kind in each.upkeep), None)

    def may_run(self, plan: Plan, *, now: datetime) -> bool:
        """Whether neither a pause nor a condition keeps the plan from running by itself."""
        pause = self._settings.pauses().of(plan.id, now=now)
        return pause is None and self._waits_for(plan) is None

    def wants_on_plug(self, plan: Plan, *, now: datetime) -> bool:
        """At most once a day, however often the disk is plugged in."""
        good = self._ledger.record(plan.id, now=now).last_good
        return good is None or now - good >= _DAY

    def _waits_for(self, plan: Plan) -> Unmet | None:
        if not self._present(plan.location):
            return Unmet.DISK
        if plan.conditions == Conditions():
            return None
        return unmet(plan.conditions, self._circumstances())

    def _upkeep(self, plan: Plan, record: Record, *, now: datetime, zone: tzinfo) -> list[JobKind]:
        """Nothing before there is a restore point; what failed is tried again the next day."""
        if record.last_good is None:
            return []
        kinds = []
        if plan.retention is not None and self._is_old(plan, JobKind.TIDY, _WEEK, now):
            kinds.append(JobKind.TIDY)
        if plan.checks.read_back_weeks and self._is_old(plan, JobKind.CHECK, _WEEK, now):
            kinds.append(JobKind.CHECK)
        if plan.checks.trial_files and self._trial_is_due(plan, now, zone):
            kinds.append(JobKind.TRIAL)
        return kinds

    def _is_old(self, plan: Plan, kind: JobKind, age: timedelta, now: datetime) -> bool:
        record = self._ledger.record(plan.id, now=now, kind=kind)
        if record.last_start is None or record.interrupted:
            return True
        if record.last_start == record.last_good:
            return now - record.last_start >= age
        return now - record.last_start >= _DAY

    def _trial_is_due(self, plan: Plan, now: datetime, zone: tzinfo) -> bool:
        """Once in each month of the calendar."""
        good = self._ledger.record(plan.id, now=now, kind=JobKind.TRIAL).last_good
        if good is not None:
            here, then = now.astimezone(zone), good.astimezone(zone)
            if (here.year, here.month) == (then.year, then.month):
                return False
        return self._is_old(plan, JobKind.TRIAL, timedelta(0), now)
