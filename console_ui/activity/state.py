"""One word for how a device is: pure, so that every list, filter and count agrees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console_ui.activity.models import Outcome, Report, Run
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
    RUNNING = "running"
    PROTECTED = "protected"
    NOTHING_YET = "nothing_yet"
    RESTORES = "restores"

    @property
    def needs_attention(self) -> bool:
        return self in (State.SILENT, State.FAILED, State.OVERDUE, State.WARNING)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state, and for how many whole days a silent device has been so."""

    state: State
    silent_days: int = 0


def judge(device: Device, report: Report | None, *, silent_days: int, now: datetime) -> Judgement:
    """``report`` is None for a device that has told nothing; its ``running``, ``last_ended`` and
    ``last_saved`` must be at hand.
    """
    if not device.backs_up:
        return Judgement(State.RESTORES)
    if report is not None and report.running is not None and is_live(report.running, now):
        return Judgement(State.RUNNING)
    unheard = now - last_heard(device, report)
    if unheard >= timedelta(days=silent_days):
        return Judgement(State.SILENT, unheard.days)
    if report is None or report.last_ended is None:
        return Judgement(State.NOTHING_YET)
    return Judgement(_by_last_run(report, report.last_ended, now))


def is_live(run: Run, now: datetime) -> bool:
    """Whether it has told something within the last minutes."""
    return run.is_running and now - (run.progress_at or run.started_at) < _UNHEARD


def last_heard(device: Device, report: Report | None) -> datetime:
    """By its agent, or by any request of its."""
    heard = [device.linked_at, device.seen_at, report.heard_at if report else None]
    return max(moment for moment in heard if moment is not None)


def _by_last_run(report: Report, last: Run, now: datetime) -> State:
    match last.outcome:
        case Outcome.FAILED | Outcome.BROKEN_OFF:
            return State.FAILED
        case Outcome.INCOMPLETE:
            return State.WARNING
        case _ if report.next_run_at is not None and now - report.next_run_at > _OVERDUE:
            return State.OVERDUE
        case Outcome.STOPPED if report.last_saved is None:
            return State.NOTHING_YET
        case _:
            return State.PROTECTED
