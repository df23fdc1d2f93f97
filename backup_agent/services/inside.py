r"""Looking into disk restore points as far as the files inside the volumes.

Besides what is stored (``/disks/0/volumes/2/image/0000/part``) such a restore
point shows what that means: ``/disk0/volume2/Users/…``, the files that the
volume's file system has. A file's named streams stand beside it, as
``name:stream``. Both kinds of path work everywhere; but what was selected as a
whole, without naming a disk, is what is stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from backup_agent.errors import NoSuchPointError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference
from backup_agent.model.events import Emit, ignore
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node, NodeKind, go_mode
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import (
    Found,
    IsSought,
    PointBrowser,
    Step,
    TreePath,
    outermost,
    show_path,
)
from backup_agent.services.stored_volumes import StoredVolumes
from backup_agent.services.volume_image import RawImage
from backup_agent.services.volume_in_point import ItemInVolume, VolumeInPoint
from backup_agent.services.walk_inside import WalkInside

_DISKS = b"disks"
_MACHINE_FILE = b"machine.json"
_DISK, _VOLUME = b"disk", b"volume"
_FOLDER_KIND, _FOLDER_MODE = go_mode(0o40755)


class DeepBrowser(PointBrowser):
    """A restore point with the files inside its volumes. A context manager: readers are open."""

    def __init__(self, reader: BlobReader, snapshot: Snapshot, *, emit: Emit = ignore) -> None:
        """``emit`` hears what a person should know of the volumes that are looked into."""
        super().__init__(reader, snapshot)
        stored = PointBrowser(reader, snapshot)
        self._stored_volumes = StoredVolumes(reader, stored, emit=emit)

    def __enter__(self) -> DeepBrowser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stored_volumes.close()

    @property
    def kept(self) -> KeptBlobs:
        """What is held in memory for all files and volumes of this restore point together."""
        return self._stored_volumes.kept

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
        return self._stored_volumes.open(path)

    def raw_image(self, path: TreePath) -> RawImage:
        """All bytes of the volume at ``(b"disk0", b"volume2")``. Raises as :meth:`volume` does."""
        return self._stored_volumes.raw_image(path)

    def image_tree(self, path: TreePath) -> BlobId | None:
        """The stored image of the volume at that path: the same id, the same bytes."""
        return self._stored_volumes.image_tree(path)

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
        found = next(item for item in self.disk_items() if item.path == path[:1])
        for name in path[1:]:
            below = self.child(found, name) if _is_folder(found) else None
            if below is None:
                raise self._missing(path, found)
            found = below
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

    def walk_named(self, is_sought: IsSought) -> Iterator[Step]:
        """As ``PointBrowser``'s, then through the volumes, of which everything is told."""
        return self._both(super().walk_named(is_sought), [()], only_looks=True)

    def _both(
        self, stored: Iterator[Step], inside: Sequence[TreePath], *, only_looks: bool
    ) -> Iterator[Step]:
        yield from stored
        if inside:
            yield from WalkInside(self, inside, only_looks).steps()

    def has_files(self, path: TreePath) -> bool:
        """Whether the disk, volume or folder at that path can be looked into."""
        return len(path) != 2 or self.volume(path).is_readable

    def refuse_lost_data(self, path: TreePath) -> None:
        """Raises ``UnreadableError`` unless nobody misses what the volume holds: swap, or zeros."""
        if not self._stored_volumes.holds_lost_data(path):
            return
        kind = self.volume(path).description.file_system.kind
        disk, volume = (name.decode() for name in path)
        raise UnreadableError(
            f"There are no files to be seen in a volume of kind {kind}, but it holds data."
            " To get them back, restore the whole volume:"
            f" everboot restore-disk {self.snapshot.short_id} --map {disk}/{volume}=FILE"
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

    def _missing(self, path: TreePath, last: Found) -> NoSuchPointError:
        """``last`` is how far the path leads."""
        point = self.snapshot.short_id
        return NoSuchPointError(
            f"The restore point {point} has no {show_path(path)}.",
            hint=f"everboot ls {point} {show_path(last.path)} lists what is there. "
            "Capitals and small letters are told apart.",
        )

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


def _reference(folder: Found, volume: VolumeInPoint) -> Reference:
    here = folder.inside
    return here.item.reference if isinstance(here, ItemInVolume) else volume.tree.root


def _is_folder(found: Found) -> bool:
    return found.node.kind is NodeKind.FOLDER


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
