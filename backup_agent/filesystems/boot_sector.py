"""What a volume's boot sector says of where it lies: to be corrected when the volume moves.

NTFS and FAT, little endian: 11 u16 bytes per sector, 28 u32 "hidden sectors",
the volume's start on its disk. Boot code adds it to what it reads; a wrong one
does not boot from a BIOS. NTFS keeps a copy of the sector in the partition's
last one, FAT32 in the sector that 50 u16 names. exFAT: 108 u8 sector size as a
power of two (its "partition offset" is informative only, and guarded by a
checksum, and stays).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backup_agent.model.disk import Extent, FileSystemKind

_FATS = {FileSystemKind.FAT12, FileSystemKind.FAT16, FileSystemKind.FAT32}
_WITH_SECTOR_SIZE = {*_FATS, FileSystemKind.NTFS, FileSystemKind.BITLOCKER}
_HIDDEN = 28
_SECTOR_SIZES = (512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes to be put over those at ``offset``, counted from the volume's start."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)

    def over(self, data: bytes, start: int) -> bytes:
        """``data``, which begins at ``start`` of the volume, with as much of this as falls in."""
        first = max(self.offset, start)
        last = min(self.end, start + len(data))
        if first >= last:
            return data
        mine = self.data[first - self.offset : last - self.offset]
        return data[: first - start] + mine + data[last - start :]


def volume_sector_size(kind: FileSystemKind, boot: bytes) -> int | None:
    """The sector size a file system was made for; ``None`` where it does not care.

    ``boot`` is the volume's first sector.
    """
    if len(boot) < 512:
        return None
    if kind is FileSystemKind.EXFAT:
        size = 1 << min(boot[108], 16)
    elif kind in _WITH_SECTOR_SIZE:
        (size,) = struct.unpack_from("<H", boot, 11)
    else:
        return None
    return size if size in _SECTOR_SIZES else None


def boot_sector_copy(kind: FileSystemKind, boot: bytes, volume_size: int) -> int | None:
    """Where in the volume the copy of its boot sector stands; ``None`` if there is none."""
    size = volume_sector_size(kind, boot)
    if size is None:
        return None
    if kind is FileSystemKind.NTFS:
        return (volume_size // size - 1) * size
    if kind is FileSystemKind.FAT32:
        (sector,) = struct.unpack_from("<H", boot, 50)
        return sector * size if sector not in (0, 0xFFFF) else None
    return None


def hidden_sector_patches(
    kind: FileSystemKind, boot: bytes, place: Extent, *, copy_is_there: bool
) -> tuple[Patch, ...]:
    """What to change in a volume that lies at ``place`` on its disk now.

    The copy is changed too, but only where there is one (``copy_is_there``).
    """
    size = volume_sector_size(kind, boot)
    if size is None or kind not in {*_FATS, FileSystemKind.NTFS}:
        return ()
    # 32 bits: behind 2 TiB no BIOS boots, and nobody else reads the field.
    data = struct.pack("<I", place.start // size & 0xFFFFFFFF)
    patches = [Patch(_HIDDEN, data)]
    copy = boot_sector_copy(kind, boot, place.size)
    if copy is not None and copy_is_there:
        patches.append(Patch(copy + _HIDDEN, data))
    return tuple(patches)
