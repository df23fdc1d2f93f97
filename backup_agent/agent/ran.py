"""Runs, and what became of them: values for the ledger, the console and the faces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backup_agent.errors import EverbootError


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    STOPPED = "stopped"
    BROKEN_OFF = "broken_off"

    @property
    def left_something(self) -> bool:
        """Whether it did what it was for, if not for everything."""
        return self in (Outcome.DONE, Outcome.INCOMPLETE)


INTERRUPTED = "interrupted"
"""The ``code`` of a run that was stopped for a pause, or because the agent ended: it is owed."""


class JobKind(StrEnum):
    """What a run does."""

    BACKUP = "backup"
    TIDY = "tidy"
    """Removes restore points that the plan's retention does not keep, and frees their space."""
    CHECK = "check"
    TRIAL = "trial"
    """Restores some files of the latest restore point, and throws them away."""


@dataclass(frozen=True, slots=True)
class Omitted:
    """One thing left out, as people read it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Bytes are those of the source; ``omissions`` are the first of ``omitted``.

    ``snapshot`` is empty where the run left no restore point, ``message`` and ``hint`` where
    nothing went wrong; ``code`` is the error's. ``removed`` counts restore points.
    """

    outcome: Outcome
    ended_at: datetime
    files: int = 0
    bytes_read: int = 0
    bytes_added: int = 0
    omitted: int = 0
    omissions: tuple[Omitted, ...] = ()
    message: str = ""
    hint: str = ""
    code: str = ""
    removed: int = 0
    snapshot: str = ""
    made_at: datetime | None = None
    kind: str = "files"
    paths: tuple[str, ...] = ()


def failed(error: EverbootError, ended_at: datetime) -> Ran:
    """A run that ended by that error."""
    return Ran(
        outcome=Outcome.FAILED,
        ended_at=ended_at,
        message=error.message,
        hint=error.hint,
        code=error.code,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run in the history; ``ran`` is None while it lasts."""

    id: str
    kind: JobKind
    plan_id: str
    plan_name: str
    started_at: datetime
    ran: Ran | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs; what is empty does not narrow. A page ends where the next ``before`` begins."""

    plan_id: str = ""
    kinds: tuple[JobKind, ...] = ()
    before: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    """Newest first. ``more``: there are older ones."""

    runs: tuple[RunView, ...]
    more: bool
