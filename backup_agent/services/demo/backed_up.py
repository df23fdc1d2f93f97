"""One of the demo's two backups: what was there, and what was made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from backup_agent.model.snapshot import Snapshot
from backup_agent.services.demo.disk_proof import DiskContent
from backup_agent.services.demo.proof import Picture


@dataclass(frozen=True, slots=True)
class BackedUp:
    """The truth, written down before the backup, and its two restore points as they come."""

    documents: Picture
    disk: DiskContent
    points: list[Snapshot] = field(default_factory=list)

    @property
    def files_point(self) -> Snapshot:
        return self.points[0]

    @property
    def disk_point(self) -> Snapshot:
        return self.points[1]

    @property
    def disk_bytes(self) -> int:
        """The sizes of all files on the disk."""
        return sum(item.size for picture in self.disk.values() for item in picture.values())
