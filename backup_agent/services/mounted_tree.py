"""What a mounted restore point shows: every folder and file by its path.

A restore point of files shows what it holds. One of disks shows what is stored
(``/disks/0/…``) and what that means: ``/disk0/volume2`` is the folder tree that the
volume's file system has, ``/disk0/volume2.img`` its raw bytes.

Listings are kept, within bounds, for paths are looked up name by name; below a
listing, things are found by node or by the file system's own reference.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock
from typing import Protocol, TypeAlias, assert_never

from msgspec.structs import replace

from backup_agent.errors import (
    IntegrityError,
    LeftOutError,
    NoSuchPointError,
    UnreadableError,
)
from backup_agent.filesystems.files.file_tree import Reference
from backup_agent.model.events import Emit, ItemSkipped
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.stored_file import StoredFile, section_of
from backup_agent.services.browse import TreePath, show_path
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.volume_in_point import ItemInVolume, VolumeInPoint

_FILE_KIND, _READABLE = go_mode(0o100400)
_MOST_KEPT_ENTRIES = 200_000
"""Some 100 MB. The newest listing is kept in any case."""
_LONGEST_NAME = 1024
"""Bytes; Linux refuses a whole listing for the sake of one longer name (FUSE_NAME_MAX)."""


class Content(Protocol):
    def read_at(self, offset: int, size: int) -> bytes:
        """Fewer bytes than ``size`` only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """In the restore point's own tree."""


@dataclass(frozen=True, slots=True)
class DiskFolder:
    """``disk0``."""

    name: bytes


@dataclass(frozen=True, slots=True)
class VolumeFolder:
    """``volume2``: the file system's root."""

    path: TreePath


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """``volume2.img``."""

    path: TreePath


@dataclass(frozen=True, slots=True)
class FolderInVolume:
    """``above`` are the folders that lead there."""

    volume: VolumeInPoint
    reference: Reference
    above: tuple[Reference, ...]


Place: TypeAlias = Stored | DiskFolder | VolumeFolder | VolumeFile | FolderInVolume | ItemInVolume


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is shown, and where that comes from which it holds."""

    node: Node
    place: Place


class MountedTree:
    """One restore point, for several threads.

    Its methods raise ``IntegrityError``, ``UnreadableError`` and ``StorageError``.
    """

    def __init__(self, browser: DeepBrowser, reader: BlobReader, *, emit: Emit) -> None:
        self._browser = browser
        self._reader = reader
        self._emit = emit
        self._root = Entry(browser.shown_folder(b""), Stored())
        self._listings: OrderedDict[TreePath, Mapping[bytes, Entry]] = OrderedDict()
        self._kept_entries = 0
        self._lock = Lock()
        self._volume_lock = Lock()

    def look_up(self, path: TreePath) -> Entry | None:
        """``None`` where nothing of that path is."""
        # From the deepest folder whose listing is kept, and step by step, not by recursion:
        # folders may lie deeper than calls can.
        depth = len(path)
        listing: Mapping[bytes, Entry] | None = None
        while depth and listing is None:
            depth -= 1
            listing = self._kept(path[:depth])
        entry = self._root
        for name in path[depth:]:
            if listing is None:
                if entry.node.kind is not NodeKind.FOLDER:
                    return None
                listing = self._list_and_keep(path[:depth], entry)
            below = listing.get(name)
            if below is None:
                return None
            entry, listing = below, None
            depth += 1
        return entry

    def list_folder(self, path: TreePath) -> Sequence[Entry]:
        """Raises ``NoSuchPointError`` where no such folder is."""
        return tuple(self._children_of(path).values())

    def open(self, entry: Entry) -> Content:
        """A file's bytes."""
        match entry.place:
            case Stored():
                return StoredFile(self._reader, [section_of(entry.node)], kept=self._browser.kept)
            case VolumeFile(path):
                with self._volume_lock:
                    return self._browser.raw_image(path)
            case ItemInVolume() as file:
                if file.item.is_left_out:
                    raise LeftOutError(file.problem)
                if file.problem:
                    raise UnreadableError(file.problem)
                return file
            case DiskFolder() | VolumeFolder() | FolderInVolume():
                raise UnreadableError("It is no file.")
            case _:
                assert_never(entry.place)

    def inode(self, path: TreePath, entry: Entry) -> int:
        """A number that only names of one file share."""
        node = entry.node
        same: tuple[object, ...] = path
        if node.inode and node.links > 1 and node.kind is not NodeKind.FOLDER:
            match entry.place:
                case Stored():
                    same = ("stored", node.device_id, node.inode)
                case ItemInVolume(volume, stream=None):
                    same = ("volume", volume.path, node.inode)
                case _:
                    pass
        digest = blake2b(repr(same).encode(), digest_size=8).digest()
        # Programs take the number for signed, and 0 for nothing.
        return int.from_bytes(digest, "little") >> 1 or 1

    def _children_of(self, path: TreePath) -> Mapping[bytes, Entry]:
        listing = self._kept(path)
        if listing is not None:
            return listing
        entry = self.look_up(path) if path else self._root
        if entry is None or entry.node.kind is not NodeKind.FOLDER:
            raise NoSuchPointError(f"There is no folder {show_path(path)}.")
        return self._list_and_keep(path, entry)

    def _kept(self, path: TreePath) -> Mapping[bytes, Entry] | None:
        with self._lock:
            listing = self._listings.get(path)
            if listing is not None:
                self._listings.move_to_end(path)
            return listing

    def _list_and_keep(self, path: TreePath, entry: Entry) -> Mapping[bytes, Entry]:
        listing: dict[bytes, Entry] = {}
        for child in self._children(path, entry):
            name = child.node.name
            if trouble := _trouble_with(name) or ("is there twice" if name in listing else ""):
                reason = f"This name {trouble}; it is not shown."
                self._emit(ItemSkipped(show_path((*path, name)), reason, "mount"))
            else:
                listing[name] = child
        with self._lock:
            if path not in self._listings:
                self._listings[path] = listing
                self._kept_entries += len(listing)
            while self._kept_entries > _MOST_KEPT_ENTRIES and len(self._listings) > 1:
                _, dropped = self._listings.popitem(last=False)
                self._kept_entries -= len(dropped)
        return listing

    def _children(self, path: TreePath, entry: Entry) -> Iterator[Entry]:
        match entry.place:
            case Stored():
                tree = entry.node.subtree if path else self._browser.snapshot.tree
                if tree is None:
                    raise IntegrityError("The folder's list of items is missing.")
                for node in self._browser.nodes(tree):
                    yield Entry(node, Stored())
                if not path:
                    for disk in self._browser.disks():
                        yield Entry(disk, DiskFolder(disk.name))
            case DiskFolder(name):
                for folder in self._browser.volumes(name):
                    yield from self._volume(folder, (name, folder.name))
            case VolumeFolder(volume_path):
                volume = self._open_volume(volume_path)
                yield from _files(volume, path, volume.tree.root, ())
            case FolderInVolume(volume, reference, above):
                yield from _files(volume, path, reference, above)
            case VolumeFile() | ItemInVolume():
                raise IntegrityError("A folder without a list of items.")
            case _:
                assert_never(entry.place)

    def _volume(self, folder: Node, path: TreePath) -> Iterator[Entry]:
        try:
            volume = self._open_volume(path)
        except (IntegrityError, NoSuchPointError):
            # Shown all the same: whoever looks into it is told what is wrong.
            yield Entry(folder, VolumeFolder(path))
            return
        if volume.is_readable:
            yield Entry(folder, VolumeFolder(path))
        image = replace(
            folder,
            name=folder.name + b".img",
            kind=_FILE_KIND,
            mode=_READABLE,
            size=volume.description.size,
            links=1,
        )
        yield Entry(image, VolumeFile(path))

    def _open_volume(self, path: TreePath) -> VolumeInPoint:
        with self._volume_lock:
            return self._browser.volume(path)


def _files(
    volume: VolumeInPoint, path: TreePath, folder: Reference, above: tuple[Reference, ...]
) -> Iterator[Entry]:
    """What stands in a folder of a volume.

    No folder holds itself, but in a file system made to be walked through for ever.
    """
    if folder in above:
        raise UnreadableError("The same folder was met before: the file system is damaged.")
    here = (*above, folder)
    for item in volume.tree.list_folder(folder):
        for found in volume.entries(path, item):
            if found.node.kind is NodeKind.FOLDER:
                yield Entry(found.node, FolderInVolume(volume, item.reference, here))
            else:
                assert isinstance(found.inside, ItemInVolume)
                yield Entry(found.node, found.inside)


def _trouble_with(name: bytes) -> str:
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        return "is none a file can have"
    return "is too long" if len(name) > _LONGEST_NAME else ""
