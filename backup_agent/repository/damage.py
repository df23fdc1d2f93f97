"""Which items of which restore points lost blobs are missed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind
from backup_agent.repository.reader import BlobReader

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Hits:
    """How many items below a folder are not whole, and the paths of the first from there."""

    count: int = 0
    first: tuple[bytes, ...] = ()

    def below(self, name: bytes) -> Hits:
        return Hits(self.count, tuple(name + b"/" + path for path in self.first))


_NONE = Hits()
_UNLISTED = Hits(1, (b"",))
"""A folder whose own list of items is lost."""


@dataclass(slots=True)
class _Folder:
    """A folder that is being looked through."""

    tree: BlobId
    name: bytes
    nodes: Iterator[Node]
    found: Hits = field(default=_NONE)

    def add(self, hits: Hits) -> None:
        if hits.count:
            first = (*self.found.first, *hits.first)[:MOST_NAMED]
            self.found = Hits(self.found.count + hits.count, first)


class DamageTracer:
    """Looks at each tree once, however many restore points share it, and remembers few names.

    The repository's index knows which blobs are lost; trees that cannot be read are
    found out here.
    """

    def __init__(self, reader: BlobReader, cancel: CancelToken) -> None:
        self._reader = reader
        self._cancel = cancel
        self._known: dict[BlobId, Hits] = {}

    def hits(self, root: BlobId, *, passed_over: bytes | None = None) -> Hits:
        """The files below that tree that lack content, and the folders that cannot be listed.

        ``passed_over`` is the name of an item of the root that somebody else looks at.
        Raises ``StorageError``, ``JobCancelledError``.
        """
        try:
            nodes = self._reader.load_tree(root)
        except IntegrityError:
            return _UNLISTED
        top = _Folder(root, b"", (node for node in nodes if node.name != passed_over))
        self._look_through(top)
        return top.found

    def _look_through(self, top: _Folder) -> None:
        stack = [top]
        while stack:
            folder = stack[-1]
            inner = self._next_unknown(folder)
            if inner is not None:
                stack.append(inner)
                continue
            stack.pop()
            if stack:
                self._known[folder.tree] = folder.found
                stack[-1].add(folder.found.below(folder.name))

    def _next_unknown(self, folder: _Folder) -> _Folder | None:
        """Count the hits among a folder's items, up to a subfolder that was not met before."""
        for node in folder.nodes:
            if node.subtree is None:
                if self._is_hit(node):
                    folder.add(Hits(1, (node.name,)))
                continue
            known = self._known.get(node.subtree)
            if known is not None:
                folder.add(known.below(node.name))
                continue
            self._cancel.raise_if_cancelled()
            try:
                return _Folder(node.subtree, node.name, iter(self._reader.load_tree(node.subtree)))
            except IntegrityError:
                self._known[node.subtree] = _UNLISTED
                folder.add(_UNLISTED.below(node.name))
        return None

    def _is_hit(self, node: Node) -> bool:
        if node.kind is NodeKind.FOLDER:
            return True
        return node.kind is NodeKind.FILE and (
            node.content is None or self._lacks_any(node.content)
        )

    def _lacks_any(self, blobs: Iterable[BlobId]) -> bool:
        return any(map(self._reader.is_lost, blobs))
