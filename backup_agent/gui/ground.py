"""What every page stands on, handed to it when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from backup_agent.errors import EverbootError
from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.places import Place
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.tokens import Palette


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a page can lead to. An empty id: the new, or the newest."""

    go: Callable[[Place], None]
    plan: Callable[[str], None]
    """Make a plan, or change the one with that id."""
    new_plan_of_machine: Callable[[], None]
    restore: Callable[[str], None]
    """What a plan, known by its id, has kept."""
    run: Callable[[str], None]
    """Show what became of one run."""
    link: Callable[[], None]
    """Link this computer to a console."""
    tell: Callable[[BaseException], None]
    """Say what went wrong, above the page that is shown."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``now`` has the zone in which times are shown."""

    desk: DeskLink
    palette: Palette
    now: Callable[[], datetime]
    ways: Ways


def words_of(error: BaseException) -> tuple[str, str]:
    """(what happened, what to try)"""
    if isinstance(error, EverbootError):
        return error.message, error.hint
    return (
        tr(
            "Something went wrong that should not: {error}",
            error=f"{type(error).__name__}: {error}",
        ),
        tr("Try again. If it stays so, tell the people who make Everboot what you did."),
    )
