"""How things stand, in sentences: fact first, then what of it needs somebody. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from backup_agent.agent.desk import Concern, ConcernKind, DeskState, PlanView, Remedy, Verdict
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, Outcome, Ran
from backup_agent.agent.schedule import Daily, EveryHours, Monthly, OnRequest, Schedule, Weekly
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.model.retention import UNLIMITED, RetentionPolicy
from backup_agent.qtkit import dates
from backup_agent.qtkit.language import locale, tr, trn
from backup_agent.qtkit.state import State
from backup_agent.services.link.identity import OWN_VAULT


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer to "am I safe?"."""

    state: State
    title: str
    lead: str


def state_of(verdict: Verdict) -> State:
    match verdict:
        case Verdict.PROTECTED:
            return State.OK
        case Verdict.PAUSED | Verdict.UNPROTECTED:
            return State.PAUSED
        case Verdict.WARNING:
            return State.WARNING
        case Verdict.PROBLEM:
            return State.PROBLEM
        case _:
            assert_never(verdict)


def headline(state: DeskState, now: datetime) -> Headline:
    """``Protected`` / ``Last backup 2 hours ago, next today at 18:00.``"""
    worst = next((c for c in state.concerns if c.verdict is state.verdict), None)
    title = title_of(worst) if worst is not None else ""
    match state.verdict:
        case Verdict.PROTECTED:
            said = tr("Protected")
        case Verdict.PAUSED:
            said = tr("Paused")
            if state.paused_until is not None:
                said = tr(
                    "Paused until {when}", when=dates.at(_local(state.paused_until, now), now)
                )
        case Verdict.WARNING:
            said = tr("Warning: {what}", what=title) if title else tr("Warning")
        case Verdict.PROBLEM:
            said = tr("Problem: {what}", what=title) if title else tr("Problem")
        case Verdict.UNPROTECTED:
            said = tr("Nothing is protected yet")
        case _:
            assert_never(state.verdict)
    return Headline(state_of(state.verdict), said, last_and_next(state, now))


def last_and_next(state: DeskState, now: datetime) -> str:
    """``Last backup 2 hours ago, next today at 18:00.``"""
    last, following = state.last_good, state.next_run_at
    if state.paused_until is not None:
        following = None
    if last is None:
        if following is None:
            return tr("No backup has run yet.")
        return tr("No backup has run yet, next {when}.", when=_at(following, now))
    ended = last.ran.ended_at if last.ran is not None else last.started_at
    passed = dates.ago(_local(ended, now), now)
    if following is None:
        return tr("Last backup {ago}.", ago=passed)
    return tr("Last backup {ago}, next {when}.", ago=passed, when=_at(following, now))


def title_of(concern: Concern) -> str:
    """A few words, beginning with a small letter where the language allows it."""
    match concern.kind:
        case ConcernKind.NO_PLAN:
            return tr("no plan yet")
        case ConcernKind.PLANS_UNREADABLE:
            return tr("the plans cannot be read")
        case ConcernKind.NEVER_RAN:
            return tr("no backup yet")
        case ConcernKind.LATE:
            return tr("a backup is late")
        case ConcernKind.FAILED:
            times = int(concern.detail) if concern.detail.isdigit() else 1
            return trn("the last backup failed", "the last {number} backups failed", times)
        case ConcernKind.WRONG_PASSWORD:
            return tr("the password does not fit")
        case ConcernKind.STORAGE_AWAY:
            return tr("the storage does not answer")
        case ConcernKind.STORAGE_FULL:
            return tr("the storage is full")
        case ConcernKind.ACCESS_DENIED:
            return tr("the storage refuses this computer")
        case ConcernKind.DISK_AWAY:
            return tr("a disk is not plugged in")
        case ConcernKind.LEFT_OUT:
            count = int(concern.detail) if concern.detail.isdigit() else 0
            if not count:
                return tr("something was left out")
            return trn("{number} item was left out", "{number} items were left out", count)
        case ConcernKind.DAMAGED:
            return tr("stored data is damaged")
        case ConcernKind.TRIAL_FAILED:
            return tr("a trial restore failed")
        case ConcernKind.UPKEEP_FAILED:
            return tr("old restore points could not be removed")
        case ConcernKind.UNLINKED:
            return tr("the console no longer knows this computer")
        case ConcernKind.WAITING:
            return tr("a backup is waiting")
        case ConcernKind.PAUSED:
            return tr("backups are paused")
        case _:
            # A service that is newer than this window may know more.
            return concern.message


def detail_of(concern: Concern, plan_name: str) -> str:
    """What else is to be known; an error's own words stay as they are."""
    match concern.kind:
        case ConcernKind.LEFT_OUT:
            return tr("{plan}: everything else is in the restore point.", plan=plan_name)
        case ConcernKind.LATE:
            return tr(
                "{plan}: its last restore point is older than the plan wants.", plan=plan_name
            )
        case ConcernKind.NEVER_RAN:
            return tr("{plan}: nothing of it can be restored yet.", plan=plan_name)
        case ConcernKind.DISK_AWAY:
            return tr("{plan}: plug in {disk}.", plan=plan_name, disk=concern.detail)
        case _:
            return " ".join(filter(None, (concern.message, concern.hint)))


def remedy_words(remedy: Remedy) -> str:
    """What the button says."""
    match remedy:
        case Remedy.ADD_PLAN:
            return tr("Add a plan")
        case Remedy.MEND_PLANS:
            return tr("Show the file")
        case Remedy.RUN_NOW:
            return tr("Back up now")
        case Remedy.ENTER_PASSWORD:
            return tr("Enter the password")
        case Remedy.EDIT_LOCATION:
            return tr("Change the storage")
        case Remedy.FREE_SPACE:
            return tr("Keep less")
        case Remedy.PLUG_IN:
            return tr("Try again")
        case Remedy.SHOW_LEFT_OUT:
            return tr("Show what is missing")
        case Remedy.SHOW_RUN:
            return tr("Show what happened")
        case Remedy.LINK:
            return tr("Link again")
        case Remedy.RESUME:
            return tr("Resume")
        case _:
            assert_never(remedy)


def plan_state(view: PlanView) -> tuple[State, str]:
    """(state, word) of one plan."""
    last = view.last_run.ran if view.last_run is not None else None
    if view.paused_until is not None:
        return State.PAUSED, tr("Paused")
    if view.waits_for is not None:
        return State.PAUSED, tr("Waiting")
    if last is None:
        return State.PAUSED, tr("No backup yet")
    return outcome_state(last.outcome)


def outcome_state(outcome: Outcome) -> tuple[State, str]:
    """(state, word) of what became of a run."""
    match outcome:
        case Outcome.DONE:
            return State.OK, tr("Complete")
        case Outcome.INCOMPLETE:
            return State.WARNING, tr("Warning")
        case Outcome.FAILED:
            return State.PROBLEM, tr("Problem")
        case Outcome.BROKEN_OFF:
            return State.PROBLEM, tr("Broken off")
        case Outcome.STOPPED:
            return State.PAUSED, tr("Stopped")
        case _:
            assert_never(outcome)


def job_words(kind: JobKind, plan_name: str) -> str:
    """``Backing up: Projects``"""
    match kind:
        case JobKind.BACKUP:
            return tr("Backing up: {plan}", plan=plan_name)
        case JobKind.TIDY:
            return tr("Removing old restore points: {plan}", plan=plan_name)
        case JobKind.CHECK:
            return tr("Checking stored data: {plan}", plan=plan_name)
        case JobKind.TRIAL:
            return tr("Trial restore: {plan}", plan=plan_name)
        case _:
            assert_never(kind)


def past_job_words(kind: JobKind, plan_name: str) -> str:
    """As a column names it."""
    match kind:
        case JobKind.BACKUP:
            return plan_name
        case JobKind.TIDY:
            return tr("{plan}: old restore points removed", plan=plan_name)
        case JobKind.CHECK:
            return tr("{plan}: stored data checked", plan=plan_name)
        case JobKind.TRIAL:
            return tr("{plan}: trial restore", plan=plan_name)
        case _:
            assert_never(kind)


def ran_words(ran: Ran) -> str:
    """What became of a run, in a sentence."""
    match ran.outcome:
        case Outcome.DONE:
            return tr("Everything is in the restore point.")
        case Outcome.INCOMPLETE:
            left_out = trn("{number} item left out.", "{number} items left out.", ran.omitted)
            return f"{left_out} {tr('Everything else is in the restore point.')}"
        case Outcome.FAILED | Outcome.BROKEN_OFF:
            kept = tr("Earlier restore points are whole.")
            return " ".join(filter(None, (ran.message, kept, ran.hint)))
        case Outcome.STOPPED:
            return tr("Stopped as asked. Earlier restore points are whole.")
        case _:
            assert_never(ran.outcome)


def what_words(plan: Plan) -> str:
    """What a plan backs up, as a person would say it."""
    return tr("Entire machine") if plan.machine else plan.what


def location_words(location: StorageLocation) -> str:
    """Where a plan's restore points go."""
    if location.file_system:
        disk = location.label or location.file_system
        return tr("{folder} on {disk}", folder=location.address, disk=disk)
    if location.address == OWN_VAULT:
        return tr("This computer's vault at the console")
    return str(location)


def schedule_words(schedule: Schedule) -> str:
    """``Daily at 18:00``"""
    match schedule:
        case OnRequest():
            return tr("When asked")
        case EveryHours(hours=hours):
            return trn("Every {number} hour", "Every {number} hours", hours)
        case Daily(at=at):
            return tr("Daily at {time}", time=f"{at:%H:%M}")
        case Weekly(days=days, at=at):
            names = ", ".join(short_day(day) for day in sorted(days))
            return tr("{days} at {time}", days=names, time=f"{at:%H:%M}")
        case Monthly(day=day, at=at):
            return tr("Monthly on day {day} at {time}", day=day, time=f"{at:%H:%M}")
        case _:
            assert_never(schedule)


def short_day(day: int) -> str:
    """``Mon``; counted from 0, Monday."""
    return locale().dayName(day + 1, locale().FormatType.ShortFormat)


def retention_words(policy: RetentionPolicy | None) -> str:
    """``30 days, 12 months``"""
    if policy is None or policy.is_empty or policy.last == UNLIMITED:
        return tr("Everything")
    rules = (
        (policy.last, tr("Last {number}", number=policy.last)),
        (policy.hourly, trn("{number} hour", "{number} hours", policy.hourly)),
        (policy.daily, trn("{number} day", "{number} days", policy.daily)),
        (policy.weekly, trn("{number} week", "{number} weeks", policy.weekly)),
        (policy.monthly, trn("{number} month", "{number} months", policy.monthly)),
        (policy.yearly, trn("{number} year", "{number} years", policy.yearly)),
    )
    return ", ".join(said for count, said in rules if count)


def _at(time: datetime, now: datetime) -> str:
    local = _local(time, now)
    return tr("now") if local <= now else dates.at(local, now)


def _local(time: datetime, now: datetime) -> datetime:
    return time.astimezone(now.tzinfo)
