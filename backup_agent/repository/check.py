"""Whether everything is there and whole: from snapshots and index files down to every byte.

The order of looking makes it safe beside a running backup: snapshots first,
then index files, then packs. What is seen early only refers to what is seen late.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from backup_agent.errors import IntegrityError, ObjectNotFoundError
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk_check import DiskPointCheck
from backup_agent.model.events import Emit
from backup_agent.model.finding import Finding, Severity, error, hint
from backup_agent.model.ids import BlobId
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import PackSubset
from backup_agent.repository.check_packs import (
    LOST,
    REPAIR,
    check_bytes,
    check_headers,
    check_presence,
    check_unused,
    lost_copies,
)
from backup_agent.repository.check_tree import check_nodes
from backup_agent.repository.inventory import (
    IndexFile,
    index_of,
    load_index_files,
    merge_packs,
    pack_sizes,
    unseen,
)
from backup_agent.repository.pack_file import pack_key
from backup_agent.repository.repository import DamagedFile, Repository
from backup_agent.repository.walk import walk_trees
from backup_agent.storage.backend import FileKind, ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What was looked at, and what was found."""

    findings: tuple[Finding, ...]
    snapshots: int
    index_files: int
    packs: int
    packs_read: int
    """How many were read to the last byte."""
    read_everything: bool = False
    """Whether these were all that the index names."""
    points: tuple[Snapshot, ...] = field(default=(), repr=False)
    """The restore points whose snapshot files are whole, oldest first."""
    disk_points: tuple[DiskPointCheck, ...] = ()
    """Of those, what those of disks are made of."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    def raise_for_errors(self) -> None:
        """Raise ``IntegrityError`` unless all is well."""
        if self.errors:
            more = f" There are {len(self.errors) - 1} more." if len(self.errors) > 1 else ""
            first = self.errors[0]
            raise IntegrityError(
                f"The repository is damaged. {first.told.rstrip('.')}.{more}", hint=first.hint
            )


@dataclass(slots=True)
class _Reached:
    """The blobs that trees were seen to need."""

    trees: set[BlobId] = field(default_factory=set)
    data: set[BlobId] = field(default_factory=set)


def check_repository(
    repository: Repository,
    *,
    headers: bool = False,
    read_data: PackSubset | None = None,
    emit: Emit,
    cancel: CancelToken,
) -> CheckReport:
    """Check the structure; with ``headers`` each pack's own list of blobs; with ``read_data``
    every byte of the packs in that subset. Loads the repository's index anew; which copies of
    blobs are missing or damaged stands in there afterwards.

    Raises only for what keeps it from looking (``StorageError``, ``JobCancelledError``).
    """
    findings: list[Finding] = []
    findings += _check_keys(repository)
    snapshots = _load_snapshots(repository, findings)
    files = _load_indexes(repository, findings)
    packs = merge_packs(files)
    repository.index = index_of(packs.values())
    sizes = pack_sizes(repository, packs)
    findings += check_presence(files, packs, sizes)
    repository.index.damaged.update(lost_copies(packs, sizes))
    reached = _Reached()
    findings += _check_trees(repository, snapshots, reached, emit=emit, cancel=cancel)
    if not any(f.severity is Severity.ERROR for f in findings):
        findings += check_unused(packs, reached.trees, reached.data)
    present = [pack for pack in packs.values() if pack.id in sizes]
    chosen = [pack for pack in present if read_data is not None and pack.id in read_data]
    if headers:
        findings += check_headers(repository, present, sizes, emit=emit, cancel=cancel)
    findings += check_bytes(repository, chosen, sizes, emit=emit, cancel=cancel)
    return CheckReport(
        findings=tuple(dict.fromkeys(findings)),
        snapshots=len(snapshots),
        index_files=len(files),
        packs=len(sizes),
        packs_read=len(chosen),
        read_everything=len(chosen) == len(packs),
        points=tuple(snapshots),
    )


def _check_keys(repository: Repository) -> Iterator[Finding]:
    """Key files can be told damaged from whole, but not whether any password opens them."""
    for info in sorted(repository.backend.list(FileKind.KEY), key=lambda info: info.name):
        key = ObjectKey(FileKind.KEY, info.name)
        try:
            data = repository.backend.load(key)
        except ObjectNotFoundError:
            continue
        if hashlib.sha256(data).hexdigest() != info.name:
            yield error(
                key.path,
                "the key file is damaged: its content does not match its name",
                hint="Its password opens nothing any more: remove it with everboot key remove, "
                "and add that password again.",
            )


def _load_snapshots(repository: Repository, findings: list[Finding]) -> list[Snapshot]:
    damaged: list[DamagedFile] = []
    snapshots = repository.snapshots(on_damage=damaged.append)
    findings += [
        error(
            file.key.path,
            file.reason,
            hint=f"This restore point is lost; everboot forget {file.key.name[:8]} removes it.",
        )
        for file in damaged
    ]
    seen = {s.id for s in snapshots} | {file.key.name for file in damaged}
    findings += _withheld(repository, FileKind.SNAPSHOT, seen)
    return snapshots


def _load_indexes(repository: Repository, findings: list[Finding]) -> list[IndexFile]:
    damaged: list[DamagedFile] = []
    files = load_index_files(repository, on_damage=damaged.append)
    findings += [error(file.key.path, file.reason, hint=REPAIR) for file in damaged]
    seen = {file.name for file in files} | {file.key.name for file in damaged}
    findings += _withheld(repository, FileKind.INDEX, seen)
    return files


def _withheld(repository: Repository, kind: FileKind, seen: Collection[str]) -> Iterator[Finding]:
    """Files that are listed and not handed out; those that are merely new are left alone."""
    for key in unseen(repository, kind, seen):
        try:
            repository.backend.size(key)
        except ObjectNotFoundError:
            yield error(
                key.path,
                "it is listed, but the storage does not hand it out",
                hint="Run check again in some minutes: it may have been removed a moment ago.",
            )


def _check_trees(
    repository: Repository,
    snapshots: list[Snapshot],
    reached: _Reached,
    *,
    emit: Emit,
    cancel: CancelToken,
) -> Iterator[Finding]:
    for visited in walk_trees(repository, snapshots, emit=emit, cancel=cancel):
        reached.trees.add(visited.id)
        place = repository.index.find(BlobKind.TREE, visited.id)
        file = pack_key(place.pack).path if place else f"snapshots/{visited.snapshot.id}"
        if visited.damage is not None:
            message = f"the folder {visited} cannot be read: {visited.damage.message}"
            yield error(file, message, hint=visited.damage.hint)
            continue
        for flaw in check_nodes(visited.nodes, repository.index):
            message = f"in the folder {visited}: {flaw.message}"
            if flaw.severity is Severity.ERROR:
                yield error(file, message, hint=LOST)
            else:
                yield hint(file, message)
        for node in visited.nodes:
            reached.data.update(node.content or ())
