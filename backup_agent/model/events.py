"""News of running work, on its one way up: worker -> emit -> whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Totals are 0 while unknown; bytes are those of the source (or target)."""

    phase: str
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    current: str = ""


@dataclass(frozen=True, slots=True)
class ItemSkipped:
    """Something could not be read or written as it should be; the run goes on and ends with 3."""

    path: str
    reason: str
    during: str
    """``scan``, ``read``, ``restore`` …"""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know that is no failure."""

    message: str


@dataclass(frozen=True, slots=True)
class TryingAgain(Notice):
    """Storage does not answer, and is asked again after ``pause_seconds``."""

    pause_seconds: float = 0


Event: TypeAlias = Progress | ItemSkipped | Notice
Emit: TypeAlias = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """An ``emit`` for those who do not listen."""
