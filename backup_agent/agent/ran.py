"""What became of one run of a plan: a value for the ledger, the console and ``status``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    STOPPED = "stopped"
    BROKEN_OFF = "broken_off"


@dataclass(frozen=True, slots=True)
class Omitted:
    """One thing left out, as people read it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """Bytes are those of the source; ``omissions`` are the first of ``omitted``.

    ``snapshot`` is empty where the run left no restore point, ``message`` and ``hint`` where
    nothing went wrong.
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
    snapshot: str = ""
    made_at: datetime | None = None
    kind: str = "files"
    paths: tuple[str, ...] = ()
