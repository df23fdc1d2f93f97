"""One volume of a disk restore point, and the files that its file system has.

A file's named streams stand beside it, as ``name:stream``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.filesystems.files.open_tree import READABLE
from backup_agent.model.disk import Volume
from backup_agent.model.node import Node, NodeKind
from backup_agent.services.browse import Found, TreePath
from backup_agent.services.volume_tree import VolumeTree

_PIECE = 1 << 20
_KEPT_LISTINGS = 16


@dataclass(frozen=True, slots=True)
class ItemInVolume:
    """A thing in a volume's file system, or a named stream of it: where it is, and its content."""

    volume: VolumeInPoint
    item: TreeItem
    stream: bytes | None = None
    size: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        return (*self.volume.path, self.item.reference, self.stream)

    @property
    def problem(self) -> str:
        return self.item.problem

    def read_at(self, offset: int, size: int) -> bytes:
        return self.volume.tree.read_at(self.item.reference, offset, size, stream=self.stream)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        for offset in range(start, self.size, _PIECE):
            piece = self.read_at(offset, _PIECE)
            if len(piece) != min(_PIECE, self.size - offset):
                raise UnreadableError(
                    f"It gave {len(piece)} bytes at {offset}, but should have {self.size} in all."
                )
            yield piece


@dataclass(slots=True)
class VolumeInPoint:
    """One volume of a restore point and the files in it."""

    path: TreePath
    description: Volume
    tree: VolumeTree
    _listings: OrderedDict[Reference, tuple[TreeItem, ...]] = field(default_factory=OrderedDict)

    @property
    def is_readable(self) -> bool:
        """Whether it holds a file system whose files can be shown."""
        return self.description.file_system.kind in READABLE

    def close(self) -> None:
        self.tree.close()

    def list_folder(self, path: TreePath, folder: Reference) -> Sequence[Found]:
        """What stands in a folder whose path in the restore point is that.

        Raises ``UnreadableError``, ``IntegrityError``, ``StorageError``.
        """
        return [found for item in self._items(folder) for found in self.entries(path, item)]

    def nodes(self, folder: Reference) -> Sequence[Node]:
        """Those of ``list_folder``, for who wants to see them and no more."""
        nodes: list[Node] = []
        for item in self._items(folder):
            nodes.append(item.node)
            if item.streams:
                nodes += (beside for beside, _ in _beside(item))
        return nodes

    def look_up(self, path: TreePath, folder: Reference, name: bytes) -> Found | None:
        """One of ``list_folder``, found by its name alone; raises as that does."""
        if folder in self._listings:
            return next((f for f in self.list_folder(path, folder) if f.path[-1] == name), None)
        for own in _names_in(name):
            item = self.tree.look_up(folder, own)
            for found in self.entries(path, item) if item else ():
                if found.path[-1] == name:
                    return found
        return None

    def _items(self, folder: Reference) -> tuple[TreeItem, ...]:
        items = self._listings.get(folder)
        if items is None:
            items = self._listings[folder] = tuple(self.tree.list_folder(folder))
            if len(self._listings) > _KEPT_LISTINGS:
                self._listings.popitem(last=False)
        return items

    def entries(self, folder: TreePath, item: TreeItem) -> Iterator[Found]:
        """An item of that folder, and its named streams as files beside it."""
        node = item.node
        yield Found((*folder, node.name), node, inside=ItemInVolume(self, item, None, node.size))
        for node, stream in _beside(item):
            inside = ItemInVolume(self, item, stream, node.size)
            yield Found((*folder, node.name), node, inside=inside)


def _beside(item: TreeItem) -> Iterator[tuple[Node, bytes]]:
    """A thing's streams, each as a file beside it."""
    node = item.node
    for stream in item.streams:
        name = node.name + b":" + stream.name
        beside = replace(node, name=name, kind=NodeKind.FILE, size=stream.size, links=1)
        if node.kind is NodeKind.FOLDER:
            beside = replace(beside, mode=node.mode & 0o666)
        yield beside, stream.name


def _names_in(name: bytes) -> Iterator[bytes]:
    """Whose entry a name may be: ``file:stream`` that of a file's stream, or of a file itself."""
    owner, colon, _ = name.rpartition(b":")
    if colon and owner:
        yield owner
    yield name
