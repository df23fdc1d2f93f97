"""Restore points as the catalog knows them: enough to list ten thousand without any key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from django.core.paginator import Paginator
from django.db.models import F, QuerySet

from backup_agent.services.vault import FileKind
from console_ui.activity.models import RestorePoint
from console_ui.storage import catalog
from console_ui.storage.models import StoredObject, Vault
from console_ui.unlocked.asking import UnlockedDoor
from console_ui.unlocked.messages import DescribePoints, Point, Points

PAGE_POINTS = 25


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """``told`` is what only an unlocked vault can tell, ``reported`` what the device said when it
    made it. ``at``: when it was made, or stored.
    """

    id: str
    at: datetime | None
    told: Point | None
    reported: RestorePoint | None = None

    @classmethod
    def of(
        cls,
        point: str,
        stored_at: datetime | None,
        told: Point | None,
        reported: RestorePoint | None = None,
    ) -> Self:
        """To the second, as people are shown it."""
        at = reported.made_at if reported else stored_at
        # Of a damaged one the vault can tell no more than that.
        if told is not None and told.time:
            at = datetime.fromisoformat(told.time[:19] + "+00:00")
        return cls(point, at, told, reported)

    @property
    def short_id(self) -> str:
        return self.id[:8]

    @property
    def is_known(self) -> bool:
        return self.told is not None or self.reported is not None

    @property
    def completeness(self) -> str:
        """One of the engine's words; empty while nobody has said anything."""
        if self.told is not None:
            return self.told.completeness
        if self.reported is None:
            return ""
        return "incomplete" if self.reported.omitted else "complete"

    @property
    def is_disk(self) -> bool:
        return "disk" in (self.told and self.told.kind, self.reported and self.reported.kind)

    @property
    def paths(self) -> list[str]:
        if self.told is not None and self.told.paths:
            return list(self.told.paths)
        return list(self.reported.paths) if self.reported else []

    @property
    def size(self) -> int | None:
        if self.told is not None and self.told.size:
            return self.told.size
        return self.reported.size if self.reported else None


def pages_of(vault: Vault, month: date | None = None) -> Paginator[StoredObject]:
    """All restore points, or those of the month that begins on this day, newest first."""
    found = _stored(vault)
    if month is not None:
        found = found.filter(stored_at__year=month.year, stored_at__month=month.month)
    return Paginator(found, PAGE_POINTS)


def months_of(vault: Vault) -> list[date]:
    """The first days of the months of which there are restore points, newest first."""
    stored = catalog.visible(vault, FileKind.SNAPSHOT).exclude(stored_at=None)
    return list(stored.dates("stored_at", "month", order="DESC"))


def has_point(vault: Vault, point: str) -> bool:
    return catalog.visible(vault, FileKind.SNAPSHOT).filter(name=point).exists()


def shown_points(lines: list[StoredObject], door: UnlockedDoor | None) -> list[ShownPoint]:
    """Raises ``VaultLockedError``, ``RefusedByVaultError``."""
    told: dict[str, Point] = {}
    if door is not None and lines:
        ids = tuple(line.name for line in lines)
        told = {point.id: point for point in door.ask(DescribePoints(ids), Points).points}
    reported = _reported(lines)
    return [
        ShownPoint.of(line.name, line.stored_at, told.get(line.name), reported.get(line.name))
        for line in lines
    ]


def _reported(lines: list[StoredObject]) -> dict[str, RestorePoint]:
    """What the vault's own device said of these. A vault without a device has no such."""
    if not lines:
        return {}
    device_id = lines[0].vault.device_id
    names = [line.name for line in lines]
    found = RestorePoint.objects.filter(device=device_id, snapshot__in=names)
    return {point.snapshot: point for point in found}


def _stored(vault: Vault) -> QuerySet[StoredObject]:
    newest = F("stored_at").desc(nulls_last=True)
    found = catalog.visible(vault, FileKind.SNAPSHOT).select_related("vault")
    return found.order_by(newest, "name")
