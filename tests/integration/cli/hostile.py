"""Restore points that no backup makes: written straight into a repository, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from backup_agent.format.pack import BlobKind
from backup_agent.format.tree import encode_tree
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.node import Node, NodeKind
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.repository import Repository, open_repository
from backup_agent.repository.writer import BlobWriter
from backup_agent.storage.local import LocalBackend
from tests.command_line import PASSWORD, CommandLine


class Forger:
    """Makes one restore point in a shell's repository; :meth:`commit` ends it."""

    def __init__(self, shell: CommandLine) -> None:
        self._repository: Repository = open_repository(LocalBackend(shell.repository), PASSWORD)
        self._repository.load_index()
        self._writer = BlobWriter(self._repository, sealers=1)

    def data(self, content: bytes) -> BlobId:
        slab = self._writer.reserve(len(content))
        start = slab.used
        slab.view[start : start + len(content)] = content
        return self._writer.add(slab, start, start + len(content))

    def tree(self, nodes: Sequence[Node]) -> BlobId:
        """In the order given, sorted or not, and doubled or not."""
        return self._writer.save_tree(encode_tree(nodes))

    def file(self, name: bytes, content: bytes = b"evil", *, size: int | None = None) -> Node:
        blobs = (self.data(content),) if content else ()
        length = len(content) if size is None else size
        return Node(name=name, kind=NodeKind.FILE, mode=0o644, size=length, links=1, content=blobs)

    def folder(self, name: bytes, nodes: Sequence[Node]) -> Node:
        return above(name, self.tree(nodes))

    def commit(self, root: Sequence[Node] | BlobId) -> str:
        tree = root if isinstance(root, bytes) else self.tree(root)
        self._writer.finish()
        with self._writer:
            pass
        snapshot = Snapshot(
            id=SnapshotId(""), time=datetime.now(UTC), tree=tree, paths=("/",), hostname="evil"
        )
        assert self._repository.index.has(BlobKind.TREE, tree)
        return self._repository.save_snapshot(snapshot).id


def above(name: bytes, tree: BlobId) -> Node:
    """A folder of that name that holds a tree."""
    return Node(name=name, kind=NodeKind.FOLDER, mode=1 << 31 | 0o755, subtree=tree)


def symlink(name: bytes, target: bytes) -> Node:
    return Node(name=name, kind=NodeKind.SYMLINK, mode=1 << 27 | 0o777, link_target=target)
