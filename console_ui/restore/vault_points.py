"""Restore points as the catalog knows them: enough to list ten thousand without any key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.core.paginator import Paginator
from django.db.models import F, QuerySet

from backup_agent.services.vault import FileKind
from console_ui.storage import catalog
from console_ui.storage.models import StoredObject, Vault
from console_ui.unlocked.asking import UnlockedDoor
from console_ui.unlocked.messages import DescribePoints, Point, Points

PAGE_POINTS = 25


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """``told`` is what only an unlocked vault can tell. ``at``: when it was made, or stored."""

    id: str
    at: datetime | None
    told: Point | None

    @classmethod
    def of(cls, point: str, stored_at: datetime | None, told: Point | None) -> Self:
        """To the second, as people are shown it."""
        at = stored_at
        if told and told.time:
            at = datetime.fromisoformat(told.time[:19] + "+00:00")
        return cls(point, at, told)

    @property
    def short_id(self) -> str:
        return self.id[:8]


def pages_of(vault: Vault) -> Paginator[StoredObject]:
    """All restore points, newest first."""
    return Paginator(_stored(vault), PAGE_POINTS)


def has_point(vault: Vault, point: str) -> bool:
    return catalog.visible(vault, FileKind.SNAPSHOT).filter(name=point).exists()


def shown_points(lines: list[StoredObject], door: UnlockedDoor | None) -> list[ShownPoint]:
    """Raises ``VaultLockedError``, ``RefusedByVaultError``."""
    told: dict[str, Point] = {}
    if door is not None and lines:
        ids = tuple(line.name for line in lines)
        told = {point.id: point for point in door.ask(DescribePoints(ids), Points).points}
    return [ShownPoint.of(line.name, line.stored_at, told.get(line.name)) for line in lines]


def _stored(vault: Vault) -> QuerySet[StoredObject]:
    newest = F("stored_at").desc(nulls_last=True)
    return catalog.visible(vault, FileKind.SNAPSHOT).order_by(newest, "name")
