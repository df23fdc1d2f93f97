"""A restore point: one snapshot file of the repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backup_agent.model.ids import SHORT_ID_LENGTH, BlobId, SnapshotId

TAG_INCOMPLETE = "incomplete"
"""Set when something was left out. Its absence proves nothing: the tree's list is the truth."""


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What the run that made a snapshot did; restic 0.17 and newer writes and shows it too."""

    backup_start: datetime
    backup_end: datetime
    files_new: int = 0
    files_changed: int = 0
    files_unmodified: int = 0
    dirs_new: int = 0
    dirs_changed: int = 0
    dirs_unmodified: int = 0
    data_blobs: int = 0
    tree_blobs: int = 0
    data_added: int = 0
    """Bytes of new blobs before compression."""
    data_added_packed: int = 0
    """Bytes those take in the repository."""
    total_files_processed: int = 0
    total_bytes_processed: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """When, where, what. ``id`` is the name of the file it was read from.

    ``extra`` keeps fields that other programs wrote, so that they survive when we write it again.
    """

    id: SnapshotId
    time: datetime
    tree: BlobId
    paths: tuple[str, ...]
    hostname: str = ""
    username: str = ""
    uid: int = 0
    gid: int = 0
    tags: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    parent: SnapshotId | None = None
    original: SnapshotId | None = None
    program_version: str = ""
    summary: BackupSummary | None = None
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def short_id(self) -> str:
        return self.id[:SHORT_ID_LENGTH]
