"""The volumes of a disk restore point: where each is stored, opened when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

from backup_agent.errors import IntegrityError
from backup_agent.filesystems.files.reader_messages import OpenVolume
from backup_agent.format.disk_layout import decode_volume
from backup_agent.model.disk import Extent, FileSystemKind, Volume
from backup_agent.model.events import Emit, Notice
from backup_agent.model.ids import BlobId
from backup_agent.model.omission import Omission
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import PointBrowser, TreePath
from backup_agent.services.stored_disk import DiskInPoint
from backup_agent.services.volume_image import RawImage, open_volume_image
from backup_agent.services.volume_in_point import VolumeInPoint
from backup_agent.services.volume_tree import VolumeTree

_DISKS = b"disks"
_DISK, _VOLUME = b"disk", b"volume"


class StoredVolumes:
    """Volumes by the path they are shown at, ``(b"disk0", b"volume2")``. Readers are open.

    All methods raise ``NoSuchPointError`` and ``IntegrityError``.
    """

    def __init__(self, reader: BlobReader, point: PointBrowser, *, emit: Emit) -> None:
        """``point``: the restore point as it is stored. Who looks into a volume may hear news."""
        self.kept = KeptBlobs()
        """What is held in memory for all files and volumes of this restore point together."""
        self._reader = reader
        self._point = point
        self._emit = emit
        self._opened: dict[TreePath, VolumeInPoint] = {}
        self._omissions: tuple[Omission, ...] | None = None

    def close(self) -> None:
        for volume in self._opened.values():
            volume.close()
        self._opened.clear()

    def open(self, path: TreePath) -> VolumeInPoint:
        """Its files are read when asked for."""
        opened = self._opened.get(path)
        if opened is None:
            folder = _stored_folder(path)
            node = self._point.find((*folder, b"volume.json"))
            described = decode_volume(b"".join(self._point.content(node)))
            opened = self._opened[path] = self._volume(path, folder, described)
            if described.unclean and opened.is_readable:
                self._emit(_unclean_notice(path))
        return opened

    def raw_image(self, path: TreePath) -> RawImage:
        """All bytes of the volume."""
        described = self.open(path).description
        folder = _stored_folder(path)
        # A damaged list must not make bad sectors pass for zeros.
        self._point.omissions()
        image = open_volume_image(self._reader, self._point, folder, described, kept=self.kept)
        return RawImage(image, tuple(self._unreadable(folder, described)))

    def image_tree(self, path: TreePath) -> BlobId | None:
        """The stored image: the same id, the same bytes."""
        return self._point.find((*_stored_folder(path), b"image")).subtree

    def holds_lost_data(self, path: TreePath) -> bool:
        """Whether it holds what somebody may miss: neither swap, nor nothing but zeros."""
        described = self.open(path).description
        if described.file_system.kind is FileSystemKind.SWAP:
            return False
        stored = DiskInPoint(self._point, int(path[0].removeprefix(_DISK)))
        return any(
            not blob.is_zero
            for number, _ in enumerate(described.parts())
            for blob in stored.part_blobs(described.number, number)
        )

    def _volume(self, path: TreePath, folder: TreePath, described: Volume) -> VolumeInPoint:
        image = open_volume_image(self._reader, self._point, folder, described, kept=self.kept)
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
                self._omissions = self._point.omissions()
            except IntegrityError:
                # Who asks for files is told that this list is damaged, and gets them.
                self._omissions = ()
        return self._omissions


def _unclean_notice(path: TreePath) -> Notice:
    name = b"/".join(path).decode()
    return Notice(
        f"{name} was not cleanly unmounted when it was backed up: what its file system had begun"
        " (its journal knows) is not finished in what is shown, and the newest files may be"
        " missing, old or damaged. After a restore of the whole volume, mounting or checking it"
        " there finishes that."
    )


def _stored_folder(volume: TreePath) -> TreePath:
    """``/disks/0/volumes/2`` for ``/disk0/volume2``."""
    disk, number = volume
    return _DISKS, disk.removeprefix(_DISK), b"volumes", number.removeprefix(_VOLUME)
