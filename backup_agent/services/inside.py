r"""Looking into disk restore points as far as the files inside the volumes.

Besides what is stored (``/disks/0/volumes/2/image/0000/part``) such a restore
point shows what that means: ``/disk0/volume2/Users/…``, the files that the
volume's file system has. A file's named streams stand beside it, as
``name:stream``. Both kinds of path work everywhere; but what was selected as a
whole, without naming a disk, is what is stored.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from backup_agent.errors import IntegrityError, NoSuchPointError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.filesystems.files.open_tree import READABLE
from backup_agent.filesystems.files.reader_messages import OpenVolume
from backup_agent.format.disk_layout import decode_volume
from backup_agent.model.disk import Extent, FileSystemKind, Volume
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.model.omission import Omission
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import (
    Found,
    PointBrowser,
    Step,
    TreePath,
    Unreachable,
    leads_to,
    outermost,
    show_path,
)
from backup_agent.services.stored_disk import DiskInPoint
from backup_agent.services.volume_image import RawImage, open_volume_image
from backup_agent.services.volume_tree import VolumeTree

_DISKS = b"disks"
_MACHINE_FILE = b"machine.json"
_DISK, _VOLUME = b"disk", b"volume"
_PIECE = 1 << 20
_FOLDER_KIND, _FOLDER_MODE = go_mode(0o40755)
_KEPT_LISTINGS = 16


class DeepBrowser(PointBrowser):
    """A restore point with the files inside its volumes. A context manager: readers are open."""

    def __init__(self, reader: BlobReader, snapshot: Snapshot) -> None:
        super().__init__(reader, snapshot)
        self.kept = KeptBlobs()
        """What is held in memory for all files and volumes of this restore point together."""
        self._volumes: dict[TreePath, VolumeInPoint] = {}
        self._omissions: tuple[Omission, ...] | None = None

    def __enter__(self) -> DeepBrowser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for volume in self._volumes.values():
            volume.close()
        self._volumes.clear()

    def disks(self) -> Sequence[Node]:
        """A folder for each stored disk, ``disk0`` and so on; none in a restore point of files."""
        names = {node.name for node in super().list_folder(())}
        if not {_MACHINE_FILE, _DISKS} <= names:
            return ()
        stored = (node.name for node in super().list_folder((_DISKS,)))
        return [self.shown_folder(_DISK + name) for name in stored if _DISK + name not in names]

    def volumes(self, disk: bytes) -> Sequence[Node]:
        """A folder for each volume of ``disk0``. Raises ``IntegrityError``."""
        try:
            stored = super().list_folder((_DISKS, disk.removeprefix(_DISK), b"volumes"))
        except NoSuchPointError:
            return ()
        numbers = sorted(stored, key=lambda node: (len(node.name), node.name))
        return [self.shown_folder(_VOLUME + node.name) for node in numbers]

    def volume(self, path: TreePath) -> VolumeInPoint:
        """The volume at ``(b"disk0", b"volume2")``; its files are read when asked for.

        Raises ``NoSuchPointError``, ``IntegrityError``.
        """
        opened = self._volumes.get(path)
        if opened is None:
            folder = _stored_folder(path)
            described = decode_volume(
                b"".join(self.content(super().find((*folder, b"volume.json"))))
            )
            opened = self._volumes[path] = self._open(path, folder, described)
        return opened

    def raw_image(self, path: TreePath) -> RawImage:
        """All bytes of the volume at ``(b"disk0", b"volume2")``. Raises as :meth:`volume` does."""
        described = self.volume(path).description
        folder = _stored_folder(path)
        # A damaged list must not make bad sectors pass for zeros.
        self.omissions()
        image = open_volume_image(self._reader, self, folder, described, kept=self.kept)
        return RawImage(image, tuple(self._unreadable(folder, described)))

    def list_folder(self, path: TreePath) -> Sequence[Node]:
        if not path:
            return (*super().list_folder(path), *self.disks())
        if not self._is_inside(path):
            return super().list_folder(path)
        found = self.look_up(path)
        if found.node.kind is not NodeKind.FOLDER:
            return (found.node,)
        if len(path) == 1:
            return self.volumes(path[0])
        volume = self.volume(path[:2])
        return volume.nodes(_reference(found, volume))

    def find(self, path: TreePath) -> Node:
        return self.look_up(path).node if self._is_inside(path) else super().find(path)

    def look_up(self, path: TreePath) -> Found:
        """One item, with the way to its content where it lies inside a volume.

        Raises ``NoSuchPointError``, ``UnreadableError``, ``IntegrityError``.
        """
        if not self._is_inside(path):
            return Found(path, super().find(path))
        found = next((item for item in self.disk_items() if item.path == path[:1]), None)
        for depth in range(1, len(path)):
            found = self.child(found, path[depth]) if found and _is_folder(found) else None
        if found is None:
            raise self._missing(path)
        return found

    def walk(self, selection: Sequence[TreePath] = (), *, deep: bool = False) -> Iterator[Step]:
        """As ``PointBrowser``'s; without a selection volumes are entered only if ``deep``.

        Who looks ``deep`` sees volumes without files; whoever takes files out is told
        of each that holds data all the same, as ``Unreachable``.
        """
        wanted = outermost(selection)
        inside = [path for path in wanted if self._is_inside(path)]
        stored = [path for path in wanted if not self._is_inside(path)]
        for path in inside:
            self.look_up(path)
        everything = not wanted or () in wanted
        first = super().walk(stored) if stored or everything else iter(())
        return self._both(first, [()] if everything and deep else inside, only_looks=deep)

    def _both(
        self, stored: Iterator[Step], inside: Sequence[TreePath], *, only_looks: bool
    ) -> Iterator[Step]:
        yield from stored
        if inside:
            yield from self._walk_inside(inside, only_looks=only_looks)

    def _walk_inside(self, wanted: Sequence[TreePath], *, only_looks: bool) -> Iterator[Step]:
        stack: list[tuple[Found | None, Iterator[Found]]] = [(None, iter(self.disk_items()))]
        entered: set[tuple[TreePath, int]] = set()
        while stack:
            own, items = stack[-1]
            found = next(items, None)
            if found is None:
                stack.pop()
                if own is not None:
                    yield Found(own.path, own.node, leaving=True)
                continue
            if not leads_to(found.path, wanted):
                continue
            yield found
            if found.node.kind is NodeKind.FOLDER:
                inner: Sequence[Found] = ()
                try:
                    self._enter(found, entered)
                    if self._has_files(found.path) or found.path in wanted:
                        inner = self._wanted_children(found, wanted)
                    elif not only_looks:
                        self._refuse_lost_data(found.path)
                except (IntegrityError, UnreadableError) as exc:
                    yield Unreachable(found.path, exc)
                stack.append((found, iter(inner)))

    def _wanted_children(self, folder: Found, wanted: Sequence[TreePath]) -> Sequence[Found]:
        """All children, or only the wanted ones of a folder on the way to them."""
        depth = len(folder.path)
        if any(path == folder.path[: len(path)] for path in wanted):
            return self.children(folder)
        names = {path[depth]: None for path in wanted if path[:depth] == folder.path}
        found = (self.child(folder, name) for name in names)
        return [child for child in found if child is not None]

    def _enter(self, folder: Found, entered: set[tuple[TreePath, int]]) -> None:
        """No folder has two places, but in a file system made to be walked through for ever."""
        if len(folder.path) > 2 and folder.node.inode:
            same = (folder.path[:2], folder.node.inode)
            if same in entered:
                raise UnreadableError("The same folder was met before: the file system is damaged.")
            entered.add(same)

    def image_tree(self, path: TreePath) -> BlobId | None:
        """The stored image of the volume at that path: the same id, the same bytes."""
        return super().find((*_stored_folder(path), b"image")).subtree

    def _has_files(self, path: TreePath) -> bool:
        return len(path) != 2 or self.volume(path).is_readable

    def _refuse_lost_data(self, path: TreePath) -> None:
        """Raises ``UnreadableError`` unless nobody misses what the volume holds: swap, or zeros."""
        kind = self.volume(path).description.file_system.kind
        if kind is FileSystemKind.SWAP or self._is_blank(path):
            return
        disk, volume = (name.decode() for name in path)
        raise UnreadableError(
            f"There are no files to be seen in a volume of kind {kind}, but it holds data."
            " To get them back, restore the whole volume:"
            f" everboot restore-disk {self.snapshot.short_id} --map {disk}/{volume}=FILE"
        )

    def _is_blank(self, path: TreePath) -> bool:
        """Whether the volume holds nothing but zeros, told without reading it."""
        stored = DiskInPoint(self, int(path[0].removeprefix(_DISK)))
        described = self.volume(path).description
        return all(
            blob.is_zero
            for number, _ in enumerate(described.parts())
            for blob in stored.part_blobs(described.number, number)
        )

    def disk_items(self) -> Sequence[Found]:
        """The folders of all disks, from which ``children`` leads further."""
        return [Found((node.name,), node) for node in self.disks()]

    def children(self, folder: Found) -> Sequence[Found]:
        """What a disk's or volume's folder holds, or one inside a volume.

        Raises ``UnreadableError``, ``IntegrityError``, ``StorageError``.
        """
        path = folder.path
        if len(path) == 1:
            return [Found((*path, node.name), node) for node in self.volumes(path[0])]
        volume = self.volume(path[:2])
        return volume.list_folder(path, _reference(folder, volume))

    def child(self, folder: Found, name: bytes) -> Found | None:
        """The one of that name among the folder's ``children``, without reading the others.

        Raises as ``children``.
        """
        path = folder.path
        if len(path) == 1:
            return next((item for item in self.children(folder) if item.path[-1] == name), None)
        volume = self.volume(path[:2])
        return volume.look_up(path, _reference(folder, volume), name)

    def _is_inside(self, path: TreePath) -> bool:
        head = path[0] if path else b""
        digits = head.removeprefix(_DISK)
        return head != digits and digits.isdigit() and any(n.name == head for n in self.disks())

    def _missing(self, path: TreePath) -> NoSuchPointError:
        point = self.snapshot.short_id
        return NoSuchPointError(
            f"The restore point {point} has no {show_path(path)}.",
            hint=f"everboot ls {point} {show_path(path[:-1])} lists what is there. "
            "Capitals and small letters are told apart.",
        )

    def _open(self, path: TreePath, folder: TreePath, described: Volume) -> VolumeInPoint:
        image = open_volume_image(self._reader, self, folder, described, kept=self.kept)
        opening = OpenVolume(
            kind=described.file_system.kind,
            size=described.size,
            unreadable=tuple(self._unreadable(folder, described)),
            left_out=described.left_out,
            owner=(os.geteuid(), os.getegid()) if hasattr(os, "geteuid") else (0, 0),
        )
        return VolumeInPoint(path, described, VolumeTree(image, opening))

    def _unreadable(self, folder: TreePath, described: Volume) -> Iterator[Extent]:
        """What the backup could not read of the volume, from the volume's start."""
        starts = {
            b"/" + b"/".join((*folder, b"image", b"%04d" % number, b"part")): part.start
            for number, part in enumerate(described.parts())
        }
        for omission in self._known_omissions():
            if (start := starts.get(omission.path)) is not None:
                for extent in omission.ranges:
                    yield Extent(start + extent.start, extent.size)

    def _known_omissions(self) -> tuple[Omission, ...]:
        if self._omissions is None:
            try:
                self._omissions = self.omissions()
            except IntegrityError:
                # Who asks for files is told that this list is damaged, and gets them.
                self._omissions = ()
        return self._omissions

    def shown_folder(self, name: bytes) -> Node:
        """A folder that is shown and not stored."""
        return Node(
            name=name,
            kind=_FOLDER_KIND,
            mode=_FOLDER_MODE,
            mtime_ns=_nanoseconds(self.snapshot.time),
            atime_ns=_nanoseconds(self.snapshot.time),
            uid=os.geteuid() if hasattr(os, "geteuid") else 0,
            gid=os.getegid() if hasattr(os, "getegid") else 0,
        )


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

    def pieces(self) -> Iterator[bytes]:
        for offset in range(0, self.size, _PIECE):
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
        return [node for item in self._items(folder) for node, _ in _with_streams(item)]

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
        for node, stream in _with_streams(item):
            inside = ItemInVolume(self, item, stream, node.size)
            yield Found((*folder, node.name), node, inside=inside)


def _with_streams(item: TreeItem) -> Iterator[tuple[Node, bytes | None]]:
    """The thing itself, and each of its streams as a file beside it."""
    node = item.node
    yield node, None
    for stream in item.streams:
        name = node.name + b":" + stream.name
        beside = replace(node, name=name, kind=NodeKind.FILE, size=stream.size, links=1)
        if node.kind is NodeKind.FOLDER:
            beside = replace(beside, mode=node.mode & 0o666)
        yield beside, stream.name


def _stored_folder(volume: TreePath) -> TreePath:
    """``/disks/0/volumes/2`` for ``/disk0/volume2``."""
    disk, number = volume
    return _DISKS, disk.removeprefix(_DISK), b"volumes", number.removeprefix(_VOLUME)


def _reference(folder: Found, volume: VolumeInPoint) -> Reference:
    here = folder.inside
    return here.item.reference if isinstance(here, ItemInVolume) else volume.tree.root


def _names_in(name: bytes) -> Iterator[bytes]:
    """Whose entry a name may be: ``file:stream`` that of a file's stream, or of a file itself."""
    owner, colon, _ = name.rpartition(b":")
    if colon and owner:
        yield owner
    yield name


def _is_folder(found: Found) -> bool:
    return found.node.kind is NodeKind.FOLDER


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
