"""What keeps someone from being safe, and what mends it: out of plans and their history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from backup_agent.agent.conditions import Unmet
from backup_agent.agent.desk import Concern, ConcernKind, PlanView, Remedy, Verdict
from backup_agent.agent.ran import JobKind, Outcome, RunView
from backup_agent.agent.schedule import next_occurrence
from backup_agent.errors import (
    AccessDeniedError,
    EverbootError,
    IntegrityError,
    LinkRefusedError,
    StorageError,
    StorageFullError,
    WrongPasswordError,
)

_GRACE = timedelta(days=2)
"""So long may a restore point be late before it is told: a weekend with the computer off is none
of anybody's business, and what failed has a concern of its own."""
_WAITING_TOLD_AFTER = timedelta(hours=12)

_ORDER = tuple(Verdict)

_KINDS: tuple[tuple[type[EverbootError], ConcernKind, Remedy], ...] = (
    (WrongPasswordError, ConcernKind.WRONG_PASSWORD, Remedy.ENTER_PASSWORD),
    (StorageFullError, ConcernKind.STORAGE_FULL, Remedy.FREE_SPACE),
    (AccessDeniedError, ConcernKind.ACCESS_DENIED, Remedy.EDIT_LOCATION),
    (LinkRefusedError, ConcernKind.UNLINKED, Remedy.LINK),
    (IntegrityError, ConcernKind.DAMAGED, Remedy.SHOW_RUN),
    (StorageError, ConcernKind.STORAGE_AWAY, Remedy.RUN_NOW),
)
"""Which error of a run is which concern; a class stands for those below it, too."""

_HOPELESS = (
    ConcernKind.WRONG_PASSWORD,
    ConcernKind.STORAGE_FULL,
    ConcernKind.ACCESS_DENIED,
    ConcernKind.UNLINKED,
    ConcernKind.DAMAGED,
)
"""Trying again does not help: a problem from the first time on."""


def concerns(
    views: Sequence[PlanView],
    *,
    failures: dict[str, int],
    paused_until: datetime | None,
    plans_problem: EverbootError | None,
    now: datetime,
    zone: tzinfo,
) -> tuple[Concern, ...]:
    """Worst first. ``failures``: by plan, how many runs in a row left no restore point."""
    found = list(_of_everything(views, paused_until, plans_problem))
    for view in views:
        found += _of_plan(view, failures.get(view.plan.id, 0), now=now, zone=zone)
    return tuple(sorted(found, key=lambda concern: -_ORDER.index(concern.verdict)))


def verdict(views: Sequence[PlanView], concerns: Sequence[Concern]) -> Verdict:
    """The answer to "am I safe?"."""
    if not any(view.last_good for view in views):
        return Verdict.UNPROTECTED
    told = [concern.verdict for concern in concerns]
    return max((Verdict.PROTECTED, *told), key=_ORDER.index)


def _of_everything(
    views: Sequence[PlanView], paused_until: datetime | None, problem: EverbootError | None
) -> Iterator[Concern]:
    if problem is not None:
        yield Concern(
            kind=ConcernKind.PLANS_UNREADABLE,
            verdict=Verdict.PROBLEM,
            message=problem.message,
            hint=problem.hint,
            remedy=Remedy.MEND_PLANS,
        )
    elif not views:
        yield Concern(
            kind=ConcernKind.NO_PLAN,
            verdict=Verdict.UNPROTECTED,
            message="Nothing is backed up: there is no plan yet.",
            remedy=Remedy.ADD_PLAN,
        )
    if paused_until is not None:
        yield Concern(
            kind=ConcernKind.PAUSED,
            verdict=Verdict.PAUSED,
            message="All plans are paused.",
            remedy=Remedy.RESUME,
            detail=paused_until.isoformat(),
        )


def _of_plan(view: PlanView, failures: int, *, now: datetime, zone: tzinfo) -> Iterator[Concern]:
    yield from _of_backups(view, failures, now=now, zone=zone)
    yield from _of_upkeep(view)


def _of_backups(view: PlanView, failures: int, *, now: datetime, zone: tzinfo) -> Iterator[Concern]:
    plan, last, good = view.plan, view.last_run, view.last_good
    if failures and last is not None and last.ran is not None:
        yield _failed(view, last, failures)
    elif good is None:
        yield Concern(
            kind=ConcernKind.NEVER_RAN,
            verdict=Verdict.WARNING,
            message=f"{plan.name} has no restore point yet.",
            remedy=Remedy.RUN_NOW,
            plan_id=plan.id,
        )
    elif last is not None and last.ran is not None and last.ran.outcome is Outcome.INCOMPLETE:
        left_out = "1 item was" if last.ran.omitted == 1 else f"{last.ran.omitted:,} items were"
        yield Concern(
            kind=ConcernKind.LEFT_OUT,
            verdict=Verdict.WARNING,
            message=f"{plan.name}: {left_out} left out.",
            remedy=Remedy.SHOW_LEFT_OUT,
            plan_id=plan.id,
            run_id=last.id,
            since=last.started_at,
            detail=str(last.ran.omitted),
        )
    if view.paused_until is None:
        yield from _late(view, now=now, zone=zone)


def _failed(view: PlanView, last: RunView, failures: int) -> Concern:
    assert last.ran is not None
    kind, remedy = kind_of(last.ran.code)
    times = f"the last {failures} backups failed" if failures > 1 else "the last backup failed"
    worst = failures > 1 or kind in _HOPELESS
    return Concern(
        kind=kind,
        verdict=Verdict.PROBLEM if worst else Verdict.WARNING,
        message=f"{view.plan.name}: {times}. {last.ran.message}",
        hint=last.ran.hint,
        remedy=remedy,
        plan_id=view.plan.id,
        run_id=last.id,
        since=last.started_at,
        detail=str(failures),
    )


def kind_of(code: str) -> tuple[ConcernKind, Remedy]:
    """What an error that ended a run is to people, by its code."""
    for error, kind, remedy in _KINDS:
        # A code begins with that of the class above.
        if code == error.code or code.startswith(f"{error.code}."):
            return kind, remedy
    return ConcernKind.FAILED, Remedy.SHOW_RUN


def _late(view: PlanView, *, now: datetime, zone: tzinfo) -> Iterator[Concern]:
    good = view.last_good
    if good is None:
        return
    wanted = next_occurrence(view.plan.schedule, after=good.started_at, zone=zone)
    if wanted is None or wanted > now:
        return
    if view.waits_for is not None and now - wanted > _WAITING_TOLD_AFTER:
        yield _waiting(view, view.waits_for, since=wanted)
    elif now - wanted > _GRACE:
        yield Concern(
            kind=ConcernKind.LATE,
            verdict=Verdict.WARNING,
            message=f"{view.plan.name} has no restore point since {good.started_at:%Y-%m-%d}.",
            remedy=Remedy.RUN_NOW,
            plan_id=view.plan.id,
            since=good.started_at,
        )


def _waiting(view: PlanView, unmet: Unmet, *, since: datetime) -> Concern:
    plan = view.plan
    if unmet is Unmet.DISK:
        return Concern(
            kind=ConcernKind.DISK_AWAY,
            verdict=Verdict.WARNING,
            message=f"{plan.name}: its disk is not connected.",
            remedy=Remedy.PLUG_IN,
            plan_id=plan.id,
            since=since,
            detail=plan.location.label or plan.location.file_system,
        )
    return Concern(
        kind=ConcernKind.WAITING,
        verdict=Verdict.WARNING,
        message=f"{plan.name} waits {_FOR[unmet]}.",
        remedy=Remedy.RUN_NOW,
        plan_id=plan.id,
        since=since,
        detail=unmet.value,
    )


_FOR = {
    Unmet.MAINS: "for mains power",
    Unmet.UNMETERED: "for a network that is not metered",
    Unmet.IDLE: "until nobody is working",
}


def _of_upkeep(view: PlanView) -> Iterator[Concern]:
    told = (
        (view.last_check, ConcernKind.DAMAGED, Verdict.PROBLEM),
        (view.last_trial, ConcernKind.TRIAL_FAILED, Verdict.PROBLEM),
        (view.last_tidy, ConcernKind.UPKEEP_FAILED, Verdict.WARNING),
    )
    for run, kind, worst in told:
        if run is None or run.ran is None or run.ran.outcome is not Outcome.FAILED:
            continue
        found, remedy = kind_of(run.ran.code)
        is_damage = found is ConcernKind.DAMAGED
        yield Concern(
            kind=kind if is_damage or run.kind is JobKind.TIDY else found,
            verdict=worst if is_damage else Verdict.WARNING,
            message=f"{view.plan.name}: {_WHAT[run.kind]} failed. {run.ran.message}",
            hint=run.ran.hint,
            remedy=Remedy.SHOW_RUN if is_damage else remedy,
            plan_id=view.plan.id,
            run_id=run.id,
            since=run.started_at,
        )


_WHAT = {
    JobKind.CHECK: "the weekly check",
    JobKind.TRIAL: "the trial restore",
    JobKind.TIDY: "removing old restore points",
}
