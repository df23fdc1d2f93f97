"""A backup: walk a source, save what is new, commit one snapshot.

Everything that could not be read is in the result, in the events and in the
restore point's own tree; a run that left something out is never green.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime

from backup_agent import __version__
from backup_agent.chunking.content import ContentChunker
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.omission import Omission
from backup_agent.model.snapshot import TAG_INCOMPLETE, BackupSummary, Snapshot
from backup_agent.repository.keys import current_user
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.repository.writer import BlobWriter, WriterTotals
from backup_agent.services.tree_saver import TreeSaver, WalkCounts
from backup_agent.sources.entry import Source


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """What is recorded with the restore point. ``hostname`` empty: this computer's."""

    hostname: str = ""
    tags: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupResult:
    """The committed restore point, and what it lacks."""

    snapshot: Snapshot
    summary: BackupSummary
    omissions: tuple[Omission, ...]

    @property
    def complete(self) -> bool:
        return not self.omissions


def run_backup(
    repository: Repository,
    source: Source,
    settings: BackupSettings,
    *,
    emit: Emit,
    cancel: CancelToken,
) -> BackupResult:
    """Make one restore point. Locks the repository (shared) while it works.

    Raises ``RepositoryLockedError``, ``StorageError``, ``IntegrityError``,
    ``JobCancelledError``; then there is no new restore point and the earlier
    ones are whole.
    """
    start = datetime.now().astimezone()
    hostname = settings.hostname or socket.gethostname()
    with RepositoryLock(repository) as lock:
        repository.load_index()
        _forget_lost_packs(repository, emit=emit)
        parent = find_parent(repository, hostname, source.paths, emit=emit)
        with BlobReader(repository) as reader, BlobWriter(repository) as writer:
            chunker = ContentChunker(repository.master)
            saver = TreeSaver(source, reader, writer, chunker, now=start, emit=emit, cancel=cancel)
            if parent is not None and parent.summary is not None:
                saver.expect(
                    parent.summary.total_files_processed, parent.summary.total_bytes_processed
                )
            tree = saver.save(parent.tree if parent else None)
            writer.finish()
        summary = _summary(start, saver.counts, writer.totals)
        omissions = tuple(saver.omissions)
        snapshot = _snapshot(settings, hostname, source, tree, parent, summary, omissions)
        lock.ensure_held()
        cancel.raise_if_cancelled()
        return BackupResult(repository.save_snapshot(snapshot), summary, omissions)


def _forget_lost_packs(repository: Repository, *, emit: Emit) -> None:
    """What the index promises and the storage has not is saved again, not counted as known."""
    lost = repository.lost_packs()
    if lost and repository.index.forget(lost):
        emit(Notice(f"{len(lost)} packs are missing or cut short: their data is saved again."))


def find_parent(
    repository: Repository, hostname: str, paths: tuple[str, ...], *, emit: Emit
) -> Snapshot | None:
    """The newest restore point of the same computer and paths whose tree is known."""
    damaged = 0

    def count(_file: object) -> None:
        nonlocal damaged
        damaged += 1

    candidates = [
        s
        for s in repository.snapshots(on_damage=count)
        if s.hostname == hostname and set(s.paths) == set(paths)
    ]
    if damaged:
        emit(Notice(f"{damaged} restore points are damaged: run everboot check."))
    for snapshot in reversed(candidates):
        if repository.index.has(BlobKind.TREE, snapshot.tree):
            return snapshot
    return None


def _summary(start: datetime, counts: WalkCounts, totals: WriterTotals) -> BackupSummary:
    return BackupSummary(
        backup_start=start,
        backup_end=datetime.now().astimezone(),
        files_new=counts.files_new,
        files_changed=counts.files_changed,
        files_unmodified=counts.files_unmodified,
        dirs_new=counts.dirs_new,
        dirs_changed=counts.dirs_changed,
        dirs_unmodified=counts.dirs_unmodified,
        data_blobs=totals.data_blobs,
        tree_blobs=totals.tree_blobs,
        data_added=totals.raw_bytes,
        data_added_packed=totals.packed_bytes,
        total_files_processed=counts.files,
        total_bytes_processed=counts.bytes,
    )


def _snapshot(
    settings: BackupSettings,
    hostname: str,
    source: Source,
    tree: BlobId,
    parent: Snapshot | None,
    summary: BackupSummary,
    omissions: tuple[Omission, ...],
) -> Snapshot:
    tags = settings.tags
    if omissions and TAG_INCOMPLETE not in tags:
        tags = (*tags, TAG_INCOMPLETE)
    return Snapshot(
        id=SnapshotId(""),
        time=summary.backup_start,
        tree=tree,
        paths=source.paths,
        hostname=hostname,
        username=current_user(),
        uid=os.getuid() if hasattr(os, "getuid") else 0,
        gid=os.getgid() if hasattr(os, "getgid") else 0,
        tags=tags,
        excludes=settings.excludes + source.left_out,
        parent=parent.id if parent else None,
        program_version=f"everboot {__version__}",
        summary=summary,
    )
