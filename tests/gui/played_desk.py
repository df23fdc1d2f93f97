"""A desk whose answers the test writes, and that remembers what it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

from backup_agent.agent.desk import (
    AgentSettings,
    Concern,
    ConcernKind,
    DeskState,
    Listen,
    LocationFinding,
    LocationState,
    PlanView,
    Reach,
    Remedy,
    RetentionPreview,
    RunningJob,
    Secrets,
    Told,
    Unsubscribe,
    Verdict,
)
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, Omitted, Outcome, Ran, RunPage, RunQuery, RunView
from backup_agent.agent.schedule import Daily, EveryHours
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.model.retention import RetentionPolicy

NOW = datetime(2026, 11, 17, 16, 4, tzinfo=UTC)
MACHINE = Plan(
    id="machine",
    name="Entire machine",
    machine=True,
    location=StorageLocation(address="vault:"),
    schedule=Daily(at=time(18)),
    retention=RetentionPolicy(daily=30, monthly=12),
)
PROJECTS = Plan(
    id="projects",
    name="Projects, every 2 hours",
    paths=("/home/mira/Projects",),
    excludes=("*.bak", "cache"),
    location=StorageLocation(address="s3:https://s3.example.org/office"),
    schedule=EveryHours(hours=2),
    retention=RetentionPolicy(daily=7),
)


def run(
    plan: Plan,
    hours_ago: float,
    outcome: Outcome = Outcome.DONE,
    *,
    added: int = 2_000_000_000,
    minutes: float = 7,
    omitted: Sequence[Omitted] = (),
    kind: JobKind = JobKind.BACKUP,
    message: str = "",
) -> RunView:
    started = NOW - timedelta(hours=hours_ago)
    made = outcome in (Outcome.DONE, Outcome.INCOMPLETE)
    ran = Ran(
        outcome=outcome,
        ended_at=started + timedelta(minutes=minutes),
        files=341_902 if made else 0,
        bytes_read=77_600_000_000,
        bytes_added=added if made else 0,
        omitted=len(omitted),
        omissions=tuple(omitted),
        snapshot="abcdef0123" if made else "",
        message=message,
    )
    return RunView(
        id=f"{plan.id}-{hours_ago}",
        kind=kind,
        plan_id=plan.id,
        plan_name=plan.name,
        started_at=started,
        ran=ran,
    )


def month_of_runs(plan: Plan = MACHINE) -> tuple[RunView, ...]:
    """Newest first: a large one at the beginning, two days without, one with something missing."""
    made = []
    for day in range(30):
        if day in (24, 25, 4):
            continue
        outcome = Outcome.INCOMPLETE if day == 17 else Outcome.DONE
        added = 9_400_000_000 if day == 26 else 1_200_000_000 + (day * 37 % 11) * 190_000_000
        omitted = (
            (Omitted("/home/mira/Outlook/archive.pst", "It is in use by another program."),)
            if outcome is Outcome.INCOMPLETE
            else ()
        )
        made.append(
            run(plan, 22 + 24 * day, outcome, added=added, minutes=5 + day % 7, omitted=omitted)
        )
    return tuple(made)


def protected() -> DeskState:
    last = run(MACHINE, 2)
    return DeskState(
        number=1,
        verdict=Verdict.PROTECTED,
        plans=(
            PlanView(
                plan=MACHINE,
                next_run_at=NOW.replace(hour=18, minute=0),
                last_run=last,
                last_good=last,
                last_trial=run(MACHINE, 24 * 15, kind=JobKind.TRIAL),
            ),
            PlanView(
                plan=PROJECTS,
                next_run_at=NOW.replace(hour=18, minute=2),
                last_run=run(PROJECTS, 2.1),
                last_good=run(PROJECTS, 2.1),
            ),
        ),
        version="0.1.0",
        keeps_secrets_in="the system's keyring",
    )


def warning() -> DeskState:
    return replace(
        protected(),
        number=2,
        verdict=Verdict.WARNING,
        concerns=(
            Concern(
                kind=ConcernKind.LEFT_OUT,
                verdict=Verdict.WARNING,
                message="3 files of Projects, every 2 hours were left out.",
                remedy=Remedy.SHOW_LEFT_OUT,
                plan_id=PROJECTS.id,
                run_id="machine-430",
                detail="3",
            ),
        ),
    )


def problem() -> DeskState:
    return replace(
        protected(),
        number=3,
        verdict=Verdict.PROBLEM,
        concerns=(
            Concern(
                kind=ConcernKind.STORAGE_FULL,
                verdict=Verdict.PROBLEM,
                message="The storage of Entire machine has no room left.",
                hint="Nothing was deleted.",
                remedy=Remedy.FREE_SPACE,
                plan_id=MACHINE.id,
            ),
        ),
    )


def running() -> DeskState:
    job = RunningJob(
        run_id="now",
        kind=JobKind.BACKUP,
        plan_id=PROJECTS.id,
        plan_name=PROJECTS.name,
        started_at=NOW - timedelta(minutes=4),
        phase="backup",
        files_done=214_380,
        files_total=341_902,
        bytes_done=48_100_000_000,
        bytes_total=77_600_000_000,
        current="/home/mira/Projects/School Altdorf/Renderings/2026-11-16 Atrium/frame_0412.exr",
    )
    return replace(protected(), number=4, running=(job,))


@dataclass
class PlayedDesk:
    """See :class:`~backup_agent.agent.desk.Desk`."""

    shown: DeskState
    history: Sequence[RunView] = ()
    asked: list[tuple[str, object]] = field(default_factory=list)
    finding: LocationState = LocationState.EMPTY
    listening: list[Listen] = field(default_factory=list)

    def show(self, state: DeskState) -> None:
        self.shown = state
        for listen in self.listening:
            listen(Told.CHANGED)

    def state(self) -> DeskState:
        return self.shown

    def save_plan(self, plan: Plan, secrets: Secrets | None = None) -> None:
        self.asked.append(("save_plan", plan))

    def remove_plan(self, plan_id: str) -> None:
        self.asked.append(("remove_plan", plan_id))

    def run_now(self, plan_id: str) -> None:
        self.asked.append(("run_now", plan_id))

    def stop(self, run_id: str) -> None:
        self.asked.append(("stop", run_id))

    def pause_until(self, when: datetime | None, *, plan_id: str = "") -> None:
        self.asked.append(("pause_until", when))

    def runs(self, query: RunQuery) -> RunPage:
        wanted = [
            each
            for each in self.history
            if (query.before is None or each.started_at < query.before)
            and (not query.kinds or each.kind in query.kinds)
        ]
        return RunPage(tuple(wanted[: query.limit]), len(wanted) > query.limit)

    def preview_retention(self, plan: Plan) -> RetentionPreview:
        return RetentionPreview(keep=(), remove=())

    def look_at(self, location: StorageLocation, secrets: Secrets) -> LocationFinding:
        self.asked.append(("look_at", location))
        return LocationFinding(state=self.finding)

    def create_repository(self, location: StorageLocation, secrets: Secrets) -> None:
        self.asked.append(("create_repository", location))

    def reach(self, plan_id: str) -> Reach:
        raise AssertionError("a played desk has no repository")

    def settings(self) -> AgentSettings:
        return AgentSettings()

    def change_settings(self, settings: AgentSettings) -> None:
        self.asked.append(("change_settings", settings))

    def subscribe(self, listen: Listen) -> Unsubscribe:
        self.listening.append(listen)
        return lambda: self.listening.remove(listen)
