"""Every tree that restore points reach, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import IntegrityError, TransientStorageError
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Progress
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey


@dataclass(frozen=True, slots=True)
class VisitedTree:
    """A tree, and the first way to it. ``damage`` is set instead of ``nodes``."""

    id: BlobId
    snapshot: Snapshot
    path: bytes
    nodes: tuple[Node, ...] = ()
    damage: IntegrityError | None = None

    def __str__(self) -> str:
        place = (self.path or b"/").decode("utf-8", "replace")
        return f"{place} of restore point {self.snapshot.short_id}"


def walk_trees(
    repository: Repository, snapshots: Sequence[Snapshot], *, emit: Emit, cancel: CancelToken
) -> Iterator[VisitedTree]:
    """Visit the trees of all snapshots, those below a damaged one excepted.

    The repository's index has to be loaded. What the storage fails at is raised.
    """
    visited: set[BlobId] = set()
    with BlobReader(repository) as reader:
        for done, snapshot in enumerate(snapshots):
            emit(Progress("walk trees", files_done=done, files_total=len(snapshots)))
            waiting = [(snapshot.tree, b"")]
            while waiting:
                tree, path = waiting.pop()
                if tree in visited:
                    continue
                cancel.raise_if_cancelled()
                visited.add(tree)
                try:
                    nodes = _load(repository, reader, tree)
                except IntegrityError as exc:
                    yield VisitedTree(tree, snapshot, path, damage=exc)
                    continue
                yield VisitedTree(tree, snapshot, path, nodes)
                waiting += [
                    (node.subtree, path + b"/" + node.name)
                    for node in reversed(nodes)
                    if node.subtree is not None
                ]


def _load(repository: Repository, reader: BlobReader, tree: BlobId) -> tuple[Node, ...]:
    """A folder's nodes. Raises ``IntegrityError`` also for a pack that is cut short for good."""
    try:
        return reader.load_tree(tree)
    except TransientStorageError:
        place = repository.index.find(BlobKind.TREE, tree)
        assert place is not None
        key = ObjectKey(FileKind.PACK, place.pack)
        size = repository.backend.size(key)
        if size < place.blob.offset + place.blob.length:
            raise IntegrityError(f"The pack {key.path} is cut short to {size} bytes.") from None
        raise


@dataclass(frozen=True, slots=True)
class UsedBlobs:
    """What restore points need."""

    trees: frozenset[BlobId]
    data: frozenset[BlobId]

    def has(self, kind: BlobKind, blob: BlobId) -> bool:
        return blob in (self.trees if kind is BlobKind.TREE else self.data)


def find_used(
    repository: Repository, snapshots: Sequence[Snapshot], *, emit: Emit, cancel: CancelToken
) -> UsedBlobs:
    """Every blob these snapshots need. Raises ``IntegrityError`` when a tree cannot be read:
    what hangs below it is unknown then.
    """
    trees: set[BlobId] = set()
    data: set[BlobId] = set()
    for visited in walk_trees(repository, snapshots, emit=emit, cancel=cancel):
        if visited.damage is not None:
            raise IntegrityError(
                f"The folder {visited} cannot be read, so nobody knows what it needs; "
                f"nothing was removed. {visited.damage.message}",
                hint="everboot check tells what is affected; everboot forget with its id gives a "
                "damaged restore point up.",
            ) from visited.damage
        trees.add(visited.id)
        for node in visited.nodes:
            data.update(node.content or ())
    return UsedBlobs(frozenset(trees), frozenset(data))
