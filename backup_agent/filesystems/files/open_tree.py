"""Which reader is the one for a file system."""

from __future__ import annotations

from collections.abc import Sequence

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.file_tree import MappedTree
from backup_agent.filesystems.files.left_out import TreeWithGaps
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import FileSystemKind

READABLE = frozenset(
    {
        FileSystemKind.NTFS,
        FileSystemKind.FAT12,
        FileSystemKind.FAT16,
        FileSystemKind.FAT32,
        FileSystemKind.EXFAT,
        FileSystemKind.EXT2,
        FileSystemKind.EXT3,
        FileSystemKind.EXT4,
    }
)
"""The file systems whose files can be looked at inside a volume."""


def open_tree(
    volume: VolumeBytes,
    kind: FileSystemKind,
    *,
    left_out: Sequence[str] = (),
    owner: tuple[int, int] = (0, 0),
) -> MappedTree:
    """The volume's files. ``owner``: (uid, gid) for those of file systems that know none.

    Raises ``UnreadableError`` for a file system that is damaged or of another kind.
    """
    tree = _open(volume, kind, owner)
    return TreeWithGaps(tree, left_out) if left_out else tree


def _open(volume: VolumeBytes, kind: FileSystemKind, owner: tuple[int, int]) -> MappedTree:
    # Imported when needed: a process reads one volume, and a library in C is slow to load.
    match kind:
        case FileSystemKind.NTFS:
            from backup_agent.filesystems.files.ntfs_tree import NtfsTree

            return NtfsTree(volume, owner=owner)
        case FileSystemKind.FAT12 | FileSystemKind.FAT16 | FileSystemKind.FAT32:
            from backup_agent.filesystems.files.fat_tree import FatTree

            return FatTree(volume, owner=owner)
        case FileSystemKind.EXFAT:
            from backup_agent.filesystems.files.exfat_tree import ExfatTree

            return ExfatTree(volume, owner=owner)
        case FileSystemKind.EXT2 | FileSystemKind.EXT3 | FileSystemKind.EXT4:
            from backup_agent.filesystems.files.ext_tree import ExtTree

            return ExtTree(volume)
        case _:
            raise UnreadableError(f"There are no files to be seen in a volume of kind {kind}.")
