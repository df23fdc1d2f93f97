"""The list of restore points as people look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from backup_agent.errors import IntegrityError
from backup_agent.format import omissions as omission_list
from backup_agent.model.node import Node
from backup_agent.model.snapshot import TAG_INCOMPLETE, Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import DamagedFile, Repository

__all__ = [
    "Completeness",
    "DamagedFile",
    "PointKind",
    "RestorePoint",
    "describe",
    "list_points",
]

_OURS = "everboot "
_MACHINE_FILE = b"machine.json"


class PointKind(StrEnum):
    """What was backed up."""

    FILES = "files"
    DISK = "disk"


class Completeness(StrEnum):
    """Whether a restore point holds all it should."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    """Another program made it, which leaves no list of what it left out."""
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A snapshot and what its root tree tells. ``size``: bytes of all files, if known."""

    snapshot: Snapshot
    kind: PointKind
    completeness: Completeness
    size: int | None

    @property
    def left_out(self) -> tuple[str, ...]:
        """Files inside a disk's volumes that were left out on purpose."""
        return self.snapshot.excludes if self.kind is PointKind.DISK else ()


def list_points(
    repository: Repository, reader: BlobReader, *, on_damage: Callable[[DamagedFile], None]
) -> Iterator[RestorePoint]:
    """Every restore point, oldest first; snapshot files that are damaged go to ``on_damage``."""
    for snapshot in repository.snapshots(on_damage=on_damage):
        yield describe(snapshot, reader)


def describe(snapshot: Snapshot, reader: BlobReader) -> RestorePoint:
    """What its root tree tells of a restore point; a damaged tree shows as ``DAMAGED``."""
    size = snapshot.summary.total_bytes_processed if snapshot.summary else None
    try:
        root = reader.load_tree(snapshot.tree)
    except IntegrityError:
        return RestorePoint(snapshot, PointKind.FILES, Completeness.DAMAGED, size)
    names = {node.name for node in root}
    kind = PointKind.DISK if {_MACHINE_FILE, b"disks"} <= names else PointKind.FILES
    return RestorePoint(snapshot, kind, _completeness(snapshot, root), size)


def _completeness(snapshot: Snapshot, root: tuple[Node, ...]) -> Completeness:
    listed = any(node.name == omission_list.FOLDER for node in root)
    if listed or TAG_INCOMPLETE in snapshot.tags:
        return Completeness.INCOMPLETE
    ours = snapshot.program_version.startswith(_OURS)
    return Completeness.COMPLETE if ours else Completeness.UNKNOWN
