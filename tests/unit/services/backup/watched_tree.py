"""A tree to back up that tells what is opened, and what a restore point must hold of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from backup_agent.format.omissions import decode_omissions
from backup_agent.model.omission import Omission
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.sources.entry import ByteStream, Entry
from backup_agent.sources.tree import FileTree, TreeEntry
from tests.points import (
    StoredItem,
    below,
    reopen,
)
from tests.trees import survey


class OwnTree(FileTree):
    """A folder and a way to it that never changes: others may work in the folders above it
    (``/tmp``), and those are stored, too.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__([str(folder)])

    def roots(self) -> Sequence[Entry]:
        return self._settled(super().roots())

    def children(self, folder: Entry) -> Sequence[Entry]:
        return self._settled(super().children(folder))

    def _settled(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        for entry in entries:
            assert isinstance(entry, TreeEntry)
            if entry.only is not None:
                entry._node = replace(
                    entry.node, mtime_ns=0, atime_ns=0, ctime_ns=0, size=0, links=1
                )
        return entries


class WatchedTree(OwnTree):
    """A tree that tells which files were opened, and lets a test meddle just before."""

    def __init__(
        self, folder: Path, *, before_open: Callable[[bytes], None] = lambda _path: None
    ) -> None:
        super().__init__(folder)
        self.opened: list[str] = []
        self._before_open = before_open

    def open(self, file: Entry) -> ByteStream:
        self.opened.append(os.fsdecode(os.path.basename(file.path)))
        self._before_open(file.path)
        return super().open(file)


def stored_omissions(repository: Repository, snapshot: Snapshot) -> tuple[Omission, ...]:
    """The list in the restore point itself."""
    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        (folder,) = (n for n in reader.load_tree(snapshot.tree) if n.name == b".everboot")
        assert folder.subtree is not None
        (file,) = reader.load_tree(folder.subtree)
        assert file.name == b"omissions.jsonl"
        pieces = list(reader.stream(file.content or ()))
    return decode_omissions(b"".join(piece for piece in pieces if isinstance(piece, bytes)))


def assert_holds(items: dict[bytes, StoredItem], folder: Path) -> None:
    """Whether a restore point has exactly what stands in the folder now."""
    seen = survey(bytes(folder))
    del seen[b"."]
    items = below(items, folder)
    assert items.keys() == seen.keys()
    for path, found in seen.items():
        node = items[path].node
        assert (node.permissions, node.mtime_ns) == (found.mode & 0o7777, found.mtime_ns)
        assert items[path].sha256 in ("", found.content)
        if node.link_target:
            assert node.link_target.hex() == found.content
