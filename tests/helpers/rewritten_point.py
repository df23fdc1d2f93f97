"""A restore point made out of another one by changing one node of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from msgspec import structs

from backup_agent.format.tree import encode_tree
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.repository.writer import BlobWriter


class Rewriting:
    """Changes nodes by their paths; ``commit`` saves the new restore point."""

    def __init__(self, repository: Repository, snapshot: Snapshot) -> None:
        repository.load_index()
        self._repository = repository
        self._snapshot = snapshot
        self._reader = BlobReader(repository)
        self._writer = BlobWriter(repository, sealers=1)

    def read(self, node: Node) -> bytes:
        return b"".join(p for p in self._reader.stream(node.content or ()) if isinstance(p, bytes))

    def containing(self, node: Node, content: bytes) -> Node:
        """The file with another content."""
        slab = self._writer.reserve(len(content))
        start = slab.used
        slab.view[start : start + len(content)] = content
        blob = self._writer.add(slab, start, start + len(content))
        return structs.replace(node, size=len(content), content=(blob,))

    def commit(self, path: str, change: Callable[[Node], Node | None]) -> Snapshot:
        """``change`` gives what takes the node's place; nothing removes it."""
        names = tuple(name.encode() for name in path.split("/") if name)
        tree = self._changed(self._snapshot.tree, names, change)
        self._writer.finish()
        with self._writer:
            pass
        self._reader.close()
        later = self._snapshot.time + timedelta(seconds=1)
        return self._repository.save_snapshot(replace(self._snapshot, tree=tree, time=later))

    def _changed(
        self, tree: BlobId, names: tuple[bytes, ...], change: Callable[[Node], Node | None]
    ) -> BlobId:
        nodes: list[Node] = []
        for node in self._reader.load_tree(tree):
            if node.name != names[0]:
                nodes.append(node)
            elif len(names) > 1:
                assert node.subtree is not None
                below = self._changed(node.subtree, names[1:], change)
                nodes.append(structs.replace(node, subtree=below))
            elif (changed := change(node)) is not None:
                nodes.append(changed)
        return self._writer.save_tree(encode_tree(nodes))
