"""Naming the files that a disk's bad sectors hit, while it is being backed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backup_agent.errors import EverbootError
from backup_agent.filesystems.files.open_tree import READABLE
from backup_agent.filesystems.files.reader_messages import OpenVolume
from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import Extent, Volume
from backup_agent.services.browse import show_path
from backup_agent.services.volume_tree import VolumeTree


@dataclass(frozen=True, slots=True)
class _VolumeOnDisk:
    """The raw bytes of a volume that is still on its disk."""

    disk: SeekableReader
    volume: Volume

    def read_at(self, offset: int, size: int) -> bytes:
        """Nothing where a sector cannot be read: the reader passes over what it needed it for."""
        size = min(size, self.volume.size - offset)
        try:
            return read_at(self.disk, self.volume.start + offset, size)
        except OSError:
            return b""


def find_hit_files(
    disk: SeekableReader, volume: Volume, extents: Sequence[Extent]
) -> Sequence[str]:
    """A ``sources.file_finder.FileFinder``; the reader of the file system may die without harm."""
    kind = volume.file_system.kind
    if kind not in READABLE:
        return ()
    opening = OpenVolume(
        kind=kind, size=volume.size, unreadable=(), left_out=volume.left_out, owner=(0, 0)
    )
    try:
        with VolumeTree(_VolumeOnDisk(disk, volume), opening) as tree:
            return [show_path(tuple(p.split(b"/")[1:])) for p in tree.hit_files(extents).paths]
    except EverbootError:
        return ()
