"""The parent of a restore point that is being made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backup_agent.errors import IntegrityError
from backup_agent.format.stored_tree import StoredTree, content_ids
from backup_agent.format.tree import decode_node
from backup_agent.model.events import Emit, Notice
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.repository.reader import BlobReader


class ParentPoint:
    """What a backup asks the restore point before.

    Nothing depends on the answers but how much must be read again: what is
    damaged is announced, and counts as not there.
    """

    def __init__(self, reader: BlobReader, *, emit: Emit) -> None:
        self._reader = reader
        self._is_known = reader.data_blobs.__contains__
        self._emit = emit

    def tree(self, tree: BlobId | None) -> StoredTree:
        """What it has of a folder; ``None`` stands for a folder it has not."""
        if tree is None:
            return StoredTree()
        try:
            return StoredTree(tree, self._reader.load_tree_bytes(tree))
        except IntegrityError as exc:
            self._tell(exc)
            return StoredTree()

    def find(self, tree: StoredTree, name: bytes) -> bytes | None:
        """As :meth:`StoredTree.find`."""
        try:
            return tree.find(name)
        except IntegrityError as exc:
            self._tell(exc)
            return None

    def unchanged(self, tree: StoredTree, heads: Sequence[bytes]) -> list[bytes | None]:
        """As :meth:`StoredTree.unchanged`."""
        try:
            return tree.unchanged(heads)
        except IntegrityError as exc:
            self._tell(exc)
            return [None] * len(heads)

    def decode(self, stored: bytes) -> Node | None:
        try:
            return decode_node(stored)
        except IntegrityError as exc:
            self._tell(exc)
            return None

    def has_content(self, stored: bytes) -> bool:
        """Whether all blobs of a stored file are in the index."""
        content = content_ids(stored)
        return content is not None and all(map(self._is_known, content))

    def has_blobs(self, blobs: Iterable[BlobId]) -> bool:
        return all(map(self._is_known, blobs))

    def _tell(self, damage: IntegrityError) -> None:
        self._emit(Notice(f"The earlier restore point is damaged: {damage.message}"))
