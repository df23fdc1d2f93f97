"""FAT12, FAT16 and FAT32: the allocation table, an entry for each cluster.

Entries of 12, 16 or 32 bits, little endian; the first two stand for no
cluster. 0 is free, of FAT32's 32 bits the upper four do not count. The boot
sector (see ``filesystems.fat``) says where the tables lie: 13 u8 sectors per
cluster, 14 u16 reserved sectors, 16 u8 tables, 17 u16 root entries, 19 u16 or
32 u32 sectors, 22 u16 or 36 u32 sectors per table; FAT32: 40 u16, whose bit 7
says that only the table in its lowest four bits counts. Not unmounted cleanly: a bit of
the table's second entry is 0 (bit 15, FAT32: 27; FAT12 has none), as Windows marks it, or
bit 0 of the boot sector's 37 u8 (FAT32: 65) is 1, as Windows NT and Linux do.
Source: Microsoft's FAT specification 1.03.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.disk import FileSystemKind
from backup_agent.model.used_space import UsedSpace

_ENTRY_BITS = {FileSystemKind.FAT12: 12, FileSystemKind.FAT16: 16, FileSystemKind.FAT32: 32}
_TO_FLAG = bytes([0] + [1] * 255)
_LOW_HALF = bytes(value & 0x0F for value in range(256))


_CLEAN_BITS = {
    FileSystemKind.FAT12: 0,
    FileSystemKind.FAT16: 1 << 15,
    FileSystemKind.FAT32: 1 << 27,
}
_STATE, _STATE_OF_FAT32 = 37, 65
_DIRTY = 0x1


@dataclass(frozen=True, slots=True)
class FatSpace:
    """``unclean``: it is marked as one that was not unmounted cleanly."""

    space: UsedSpace
    unclean: bool


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Places and sizes in bytes from the volume's start."""

    table_start: int
    table_size: int
    tables: int
    active: int | None
    """The only table that counts; ``None`` if all say the same."""
    heap_start: int
    cluster_size: int
    clusters: int
    media: int


def fat_space(volume: VolumeWindow, kind: FileSystemKind) -> FatSpace:
    """The clusters that a table gives to some file. Raises :class:`SpaceUnknownError`."""
    boot = volume.read(0, 512)
    geometry = _geometry(boot)
    bits = _ENTRY_BITS[kind]
    needed = -(-(geometry.clusters + 2) * bits // 8)
    if needed > geometry.table_size:
        raise SpaceUnknownError("Its allocation table is too short for its clusters.")
    numbers = range(geometry.tables) if geometry.active is None else [geometry.active]
    used = 0
    unclean = bool(boot[_STATE_OF_FAT32 if bits == 32 else _STATE] & _DIRTY)
    for number in numbers:
        table = volume.read(geometry.table_start + number * geometry.table_size, needed)
        if table[0] != geometry.media:
            raise SpaceUnknownError("Its allocation table does not begin as one does.")
        second_entry = int.from_bytes(table[bits // 8 : bits // 4], "little")
        unclean = unclean or second_entry & _CLEAN_BITS[kind] != _CLEAN_BITS[kind]
        # Where the copies differ, what either calls used is kept.
        used |= int.from_bytes(_flags(table, bits)[2 : geometry.clusters + 2], "little")
    bitmap = ClusterBitmap.from_flags(used.to_bytes(geometry.clusters, "little"))
    space = bitmap.space(
        size=volume.size, origin=geometry.heap_start, cluster_size=geometry.cluster_size
    )
    return FatSpace(space, unclean)


def _geometry(boot: bytes) -> _Geometry:
    (sector_size, per_cluster, reserved, tables, root_entries, small, media, per_table) = (
        struct.unpack_from("<HBHBHHBH", boot, 11)
    )
    large, per_table32, flags = struct.unpack_from("<IIH", boot, 32)
    table_size = (per_table or per_table32) * sector_size
    heap_start = (
        reserved * sector_size
        + tables * table_size
        + -(-root_entries * 32 // sector_size) * sector_size
    )
    cluster_size = per_cluster * sector_size
    active = flags & 0x0F if not per_table and flags & 0x80 else None
    if active is not None and active >= tables:
        raise SpaceUnknownError("It names an allocation table that it has not.")
    return _Geometry(
        table_start=reserved * sector_size,
        table_size=table_size,
        tables=tables,
        active=active,
        heap_start=heap_start,
        cluster_size=cluster_size,
        clusters=((small or large) * sector_size - heap_start) // cluster_size,
        media=media,
    )


def _flags(table: bytes, bits: int) -> bytes:
    """One byte for each whole entry: 0 is free, 1 is not."""
    match bits:
        case 12:
            # Three bytes hold two entries: the low one takes half of the middle byte.
            whole = table.ljust(-(-len(table) // 3) * 3, b"\0")
            low, middle, high = whole[0::3], whole[1::3], whole[2::3]
            flags = bytearray(2 * len(low))
            flags[0::2] = _any(low, middle.translate(_LOW_HALF))
            flags[1::2] = _any(high, bytes(value & 0xF0 for value in middle))
            return bytes(flags)
        case 16:
            return _any(table[0::2], table[1::2])
        case _:
            return _any(table[0::4], table[1::4], table[2::4], table[3::4].translate(_LOW_HALF))


def _any(*columns: bytes) -> bytes:
    """For each place 1 if any of the columns holds something there."""
    # As one long integer each: a loop over a table of 2^28 entries would take minutes.
    together = 0
    for column in columns:
        together |= int.from_bytes(column, "little")
    return together.to_bytes(len(columns[0]), "little").translate(_TO_FLAG)
