"""A vault's restore points, as the gateway knows them: when they came and went, and their size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.deletions import hidden_since
from console_ui.storage.models import Vault


@dataclass(frozen=True, slots=True)
class Point:
    """``hidden_at`` None: it is visible. ``is_dated``: the console was there when it came; what
    it found in the vault counts as made on the vault's first day.

    ``size`` is that of the snapshot file, in bytes. It tells nothing of what was backed up, but
    those of one plan differ little.
    """

    name: str
    size: int
    made_at: datetime
    is_dated: bool
    hidden_at: datetime | None

    def is_worth(self, other: Point) -> bool:
        """Whether it may stand for the other one: something far smaller is no such thing."""
        return self.size * 2 >= other.size


def points_since(vault: Vault, since: datetime, *, now: datetime) -> list[Point]:
    """Those that are visible, or were until then; in the order in which they were made."""
    kind = FileKind.SNAPSHOT
    hidden = hidden_since(vault, since, now=now).filter(kind=kind.value)
    points = [
        Point(name, size, stored_at or vault.made_at, stored_at is not None, hidden_at)
        for lines in (hidden, catalog.visible(vault, kind))
        for name, size, stored_at, hidden_at in lines.values_list(
            "name", "size", "stored_at", "hidden_at"
        )
    ]
    return sorted(points, key=lambda point: (point.made_at, point.name))
