"""The desk: where faces ask how things stand and say what they want.

Windows and command lines speak to a :class:`Desk` and to nothing else of the agent. Behind it is
either the agent of this very process (``own_desk``, "portable") or the service, reached through a
local socket (``remote_desk``): faces cannot tell, and need not. All values are frozen and can
cross a process boundary; moments know their zone, which need not be that of whoever looks.
Methods may be called from any thread, and may take a moment (a socket, a disk): a window calls
them off its own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from backup_agent.agent.conditions import Unmet
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, RunPage, RunQuery, RunView
from backup_agent.agent.storage_location import StorageLocation


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens a storage location: the repository's password, and the variables that hold
    credentials (``AWS_SECRET_ACCESS_KEY``…). Kept in the system's keyring or a sealed file.
    """

    password: str = field(default="", repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


class Verdict(StrEnum):
    """The answer to "am I safe?", worst last."""

    PROTECTED = "protected"
    PAUSED = "paused"
    WARNING = "warning"
    """There are restore points, but something is left out or late."""
    PROBLEM = "problem"
    """New restore points do not come, or old ones cannot be relied on."""
    UNPROTECTED = "unprotected"
    """There is no plan, or none that has ever left a restore point."""


class ConcernKind(StrEnum):
    """What keeps someone from being safe. Each has one remedy."""

    NO_PLAN = "no_plan"
    PLANS_UNREADABLE = "plans_unreadable"
    NEVER_RAN = "never_ran"
    LATE = "late"
    FAILED = "failed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a concern
    STORAGE_AWAY = "storage_away"
    STORAGE_FULL = "storage_full"
    ACCESS_DENIED = "access_denied"
    DISK_AWAY = "disk_away"
    LEFT_OUT = "left_out"
    DAMAGED = "damaged"
    TRIAL_FAILED = "trial_failed"
    UPKEEP_FAILED = "upkeep_failed"
    UNLINKED = "unlinked"
    WAITING = "waiting"
    PAUSED = "paused"


class Remedy(StrEnum):
    """What one button does about a concern."""

    ADD_PLAN = "add_plan"
    MEND_PLANS = "mend_plans"
    """Show the file of plans, and what is wrong in it."""
    RUN_NOW = "run_now"
    ENTER_PASSWORD = "enter_password"  # noqa: S105 - the name of a remedy
    EDIT_LOCATION = "edit_location"
    FREE_SPACE = "free_space"
    """Edit what the plan keeps, or name larger storage."""
    PLUG_IN = "plug_in"
    SHOW_LEFT_OUT = "show_left_out"
    SHOW_RUN = "show_run"
    LINK = "link"
    RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One thing that is wrong, in a sentence, and what mends it. ``since``: how long, if known.

    ``plan_id`` and ``run_id`` say what it is about; empty: everything. ``detail`` is what a
    translated sentence needs to name (a disk, a number, the error's own words).
    """

    kind: ConcernKind
    verdict: Verdict
    message: str
    remedy: Remedy
    plan_id: str = ""
    run_id: str = ""
    since: datetime | None = None
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan and how it stands. ``waits_for``: it is due, but its conditions do not hold."""

    plan: Plan
    next_run_at: datetime | None = None
    last_run: RunView | None = None
    last_good: RunView | None = None
    """The latest that left a restore point."""
    last_trial: RunView | None = None
    last_check: RunView | None = None
    last_tidy: RunView | None = None
    waits_for: Unmet | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """Totals are 0 while unknown; bytes are those of the source (or target)."""

    run_id: str
    kind: JobKind
    plan_id: str
    plan_name: str
    started_at: datetime
    phase: str = ""
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    current: str = ""
    stopping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """Everything an overview shows. ``concerns``: worst first. ``number`` grows with each change
    of anything but the progress of ``running``.
    """

    number: int
    verdict: Verdict
    plans: tuple[PlanView, ...] = ()
    running: tuple[RunningJob, ...] = ()
    waiting: tuple[str, ...] = ()
    """Ids of plans that were asked for and come next."""
    concerns: tuple[Concern, ...] = ()
    paused_until: datetime | None = None
    console: str = ""
    """The address of the console that this device is linked to; empty: none."""
    version: str = ""
    """Of the agent, which may be older or newer than who asks."""
    keeps_secrets_in: str = ""

    @property
    def next_run_at(self) -> datetime | None:
        return min((view.next_run_at for view in self.plans if view.next_run_at), default=None)

    @property
    def last_good(self) -> RunView | None:
        runs = [view.last_good for view in self.plans if view.last_good]
        return max(runs, key=lambda run: run.started_at, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What holds for all plans. ``obeys_console``: whether people at the console may start and
    stop backups of this device.
    """

    obeys_console: bool = True
    upload_limit: int = 0
    download_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPoint:
    """A restore point in a preview of retention; ``reasons`` is empty for one that goes."""

    snapshot: str
    made_at: datetime
    paths: tuple[str, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPreview:
    """What a plan's retention would do now."""

    keep: tuple[KeptPoint, ...]
    remove: tuple[KeptPoint, ...]


class LocationState(StrEnum):
    """What was found at a storage location."""

    READY = "ready"
    EMPTY = "empty"
    """It can be reached, and a repository can be made there."""
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a state
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationFinding:
    """The answer to "test connection"; ``message`` and ``hint`` where it failed."""

    state: LocationState
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to open a plan's repository: for browsing and restoring in the face's own process.

    ``address`` is where it is now (the folder of a disk that is mounted, say).
    """

    address: str = field(repr=False)
    secrets: Secrets


class Told(StrEnum):
    """What a subscriber hears: that something changed. How it stands now, ``state`` says."""

    CHANGED = "changed"
    PROGRESS = "progress"
    """At most ten times a second, and nothing but ``running`` changed."""
    GONE = "gone"
    """The service ended or went away; the desk goes on trying to reach it."""


Listen: TypeAlias = Callable[[Told], None]
"""Called from a thread of the desk's; it must return at once."""

Unsubscribe: TypeAlias = Callable[[], None]


class Desk(Protocol):
    """Every method raises ``UsageError`` for what makes no sense (a plan that is not there), and
    over a socket ``HostError`` where the service does not answer.
    """

    def state(self) -> DeskState: ...

    def save_plan(self, plan: Plan, secrets: Secrets | None = None) -> None:
        """Add it, or change the one with its id. ``secrets`` None: as they were.

        Raises ``UsageError`` for a name that another plan has, and for a plan without a source.
        """
        ...

    def remove_plan(self, plan_id: str) -> None:
        """Its restore points stay. Secrets that no other plan uses are forgotten."""
        ...

    def run_now(self, plan_id: str) -> None:
        """Whatever its conditions and pauses; behind what runs already."""
        ...

    def stop(self, run_id: str) -> None:
        """Safely: the run ends as stopped. One that has ended already is left as it is."""
        ...

    def pause_until(self, when: datetime | None, *, plan_id: str = "") -> None:
        """All plans (or one) run by themselves again from then on; None: from now on.

        A run in progress is stopped, and due again when the pause is over.
        """
        ...

    def runs(self, query: RunQuery) -> RunPage: ...

    def preview_retention(self, plan: Plan) -> RetentionPreview:
        """What the plan's rules, saved or not, would keep and remove now.

        Opens its repository. Raises as :func:`~backup_agent.services.repositories.opened`.
        """
        ...

    def look_at(self, location: StorageLocation, secrets: Secrets) -> LocationFinding:
        """Whether a repository is there, can be opened, or could be made; writes nothing."""
        ...

    def create_repository(self, location: StorageLocation, secrets: Secrets) -> None:
        """Raises as :func:`~backup_agent.services.repositories.create`."""
        ...

    def reach(self, plan_id: str) -> Reach:
        """Raises ``StorageError`` where its disk is not there."""
        ...

    def settings(self) -> AgentSettings: ...

    def change_settings(self, settings: AgentSettings) -> None: ...

    def subscribe(self, listen: Listen) -> Unsubscribe: ...
