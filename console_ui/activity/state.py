"""One word for how a device is: pure, so that every list, filter and count agrees.

A device is as well as the worst of its plans: a good backup of one says nothing of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console_ui.activity.models import Outcome, Plan, Report, Run
from console_ui.devices.models import Device

# A run that has not told anything for so long is not shown as running any more.
_UNHEARD = timedelta(minutes=5)
# A plan may wait for a computer to be switched on; a day later somebody should know.
_OVERDUE = timedelta(days=1)


class State(Enum):
    """From the worst to the best; the first ones need somebody's attention."""

    SILENT = "silent"
    FAILED = "failed"
    OVERDUE = "overdue"
    WARNING = "warning"
    PARTLY = "partly"
    RUNNING = "running"
    PROTECTED = "protected"
    NOTHING_YET = "nothing_yet"
    NO_PLAN = "no_plan"
    RESTORES = "restores"

    @property
    def needs_attention(self) -> bool:
        return self in _TROUBLES


_TROUBLES = (State.SILENT, State.FAILED, State.OVERDUE, State.WARNING, State.PARTLY)


@dataclass(frozen=True, slots=True)
class JudgedPlan:
    """One plan: failed, overdue, with omissions, protected or never run. ``last`` is the last run
    that nobody stopped.

    ``plan`` is None for runs that name none, where the device has no plans.
    """

    plan: Plan | None
    state: State
    last: Run | None

    @property
    def name(self) -> str:
        return self.plan.name if self.plan else ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``settled`` is how the device is, whether or not it backs up right now; ``silent_days`` for
    how many whole days a silent one has been so.
    """

    settled: State
    is_running: bool = False
    silent_days: int = 0
    plans: tuple[JudgedPlan, ...] = ()

    @property
    def state(self) -> State:
        """The one word. A backup that runs hides no trouble: it may end as the last one did."""
        hides_nothing = self.is_running and not self.settled.needs_attention
        return State.RUNNING if hides_nothing else self.settled

    def in_state(self, state: State) -> list[JudgedPlan]:
        return [each for each in self.plans if each.state is state]

    @property
    def omitted(self) -> int:
        """How many items all plans' last runs left out together."""
        return sum(each.last.omitted for each in self.in_state(State.WARNING) if each.last)


def judge(
    device: Device,
    report: Report | None,
    plans: Sequence[Plan],
    *,
    silent_days: int,
    now: datetime,
) -> Judgement:
    """``report`` is None for a device that has told nothing; its ``running``, ``last_ended`` and
    ``last_saved`` must be at hand, and the ``last_run`` of its plans.
    """
    if not device.backs_up:
        return Judgement(State.RESTORES)
    is_running = bool(report and report.running and is_live(report.running, now))
    judged = tuple(_judged(plan, now) for plan in plans) or _without_plans(report, now)
    unheard = now - last_heard(device, report)
    if not is_running and unheard >= timedelta(days=silent_days):
        return Judgement(State.SILENT, silent_days=unheard.days, plans=judged)
    return Judgement(_together(report, judged), is_running, plans=judged)


def is_live(run: Run, now: datetime) -> bool:
    """Whether it has told something within the last minutes."""
    return run.is_running and now - (run.progress_at or run.started_at) < _UNHEARD


def last_heard(device: Device, report: Report | None) -> datetime:
    """By its agent, or by any request of its."""
    heard = [device.linked_at, device.seen_at, report.heard_at if report else None]
    return max(moment for moment in heard if moment is not None)


def _together(report: Report | None, plans: Sequence[JudgedPlan]) -> State:
    states = {each.state for each in plans}
    for trouble in _TROUBLES:
        if trouble in states:
            return trouble
    if states == {State.PROTECTED}:
        return State.PROTECTED
    if State.PROTECTED in states:
        return State.PARTLY
    if not states and report is not None and report.last_saved is not None:
        return State.NO_PLAN
    return State.NOTHING_YET


def _judged(plan: Plan, now: datetime) -> JudgedPlan:
    return JudgedPlan(plan, _state_of(plan.last_run, plan.next_run_at, now), plan.last_run)


def _without_plans(report: Report | None, now: datetime) -> tuple[JudgedPlan, ...]:
    """Runs that name no plan are judged as one; those of a plan that is gone, not at all."""
    last = report.last_ended if report else None
    if report is not None and last is not None and last.outcome == Outcome.STOPPED:
        last = report.last_saved
    if report is None or last is None or last.plan_key is not None:
        return ()
    return (JudgedPlan(None, _state_of(last, report.next_run_at, now), last),)


def _state_of(last: Run | None, next_run_at: datetime | None, now: datetime) -> State:
    match last and last.outcome:
        case Outcome.FAILED | Outcome.BROKEN_OFF:
            return State.FAILED
        case _ if next_run_at is not None and now - next_run_at > _OVERDUE:
            return State.OVERDUE
        case None:
            return State.NOTHING_YET
        case Outcome.INCOMPLETE:
            return State.WARNING
        case _:
            return State.PROTECTED
