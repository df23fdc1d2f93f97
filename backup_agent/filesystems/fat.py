"""FAT12, FAT16, FAT32 and exFAT: boot sectors, and the labels in their root folders.

FAT's boot sector (Microsoft's FAT specification 1.03), little endian:
11 u16 bytes per sector, 13 u8 sectors per cluster, 14 u16 reserved sectors,
16 u8 tables, 17 u16 root entries, 19 u16 sectors, 21 u8 media, 22 u16 sectors
per table, 32 u32 sectors; FAT32: 36 u32 sectors per table, 44 u32 root
cluster. Serial and label follow a byte 0x28 or 0x29 at 38 (FAT32: 66).

exFAT's: 3 "EXFAT   ", 88 u32 first sector of the clusters, 92 u32 how many,
96 u32 root cluster, 100 u32 serial, 108 u8 and 109 u8: sector and cluster
size as powers of two.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import FileSystem, FileSystemKind

_LABEL_ENTRY = 0x08
_LONG_NAME_ENTRY = 0x0F
_DELETED = 0xE5
_EXFAT_LABEL_ENTRY = 0x83
_ENTRY_SIZE = 32
# Labels stand among a root folder's first entries; more than this is not read for one.
_MOST_ROOT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class _Fat:
    """The geometry in a FAT boot sector; places in bytes from the volume's start."""

    kind: FileSystemKind
    cluster_size: int
    root_start: int
    root_size: int
    names_start: int


_MOST_TABLES = 16
"""What the field for the active one can name; nearly all volumes have two."""


def recognise_fat(reader: SeekableReader, start: int) -> FileSystem | None:
    """What the boot sector at ``start`` says; ``None`` if it is not a FAT's."""
    boot = read_at(reader, start, 512)
    fat = _parse(boot)
    if fat is None:
        return None
    serial = label = ""
    if boot[fat.names_start] in (0x28, 0x29):
        serial = _serial(*struct.unpack_from("<I", boot, fat.names_start + 1))
    if boot[fat.names_start] == 0x29:
        label = _text(boot[fat.names_start + 5 : fat.names_start + 16])
    root = read_at(reader, start + fat.root_start, min(fat.root_size, _MOST_ROOT_BYTES))
    label = _root_label(root) or ("" if label == "NO NAME" else label)
    return FileSystem(fat.kind, label, serial, fat.cluster_size)


def _parse(boot: bytes) -> _Fat | None:
    if len(boot) < 512 or boot[510:512] != b"\x55\xaa" or boot[0] not in (0xEB, 0xE9):
        return None
    (sector_size, per_cluster, reserved, tables, root_entries, small, media, per_table) = (
        struct.unpack_from("<HBHBHHBH", boot, 11)
    )
    large, per_table32, root_cluster = struct.unpack_from("<II4xI", boot, 32)
    if (
        sector_size not in (512, 1024, 2048, 4096)
        or per_cluster not in (1, 2, 4, 8, 16, 32, 64, 128)
        or not reserved
        or not 1 <= tables <= _MOST_TABLES
        or media < 0xF0
    ):
        return None
    tables_end = reserved + tables * (per_table or per_table32)
    root_sectors = -(-root_entries * _ENTRY_SIZE // sector_size)
    clusters = ((small or large) - tables_end - root_sectors) // per_cluster
    if clusters < 1:
        return None
    cluster_size = per_cluster * sector_size
    if per_table:
        kind = FileSystemKind.FAT12 if clusters < 4085 else FileSystemKind.FAT16
        root_size = root_entries * _ENTRY_SIZE
        return _Fat(kind, cluster_size, tables_end * sector_size, root_size, 38)
    root_start = tables_end * sector_size + (root_cluster - 2) * cluster_size
    if root_cluster < 2 or not per_table32:
        return None
    return _Fat(FileSystemKind.FAT32, cluster_size, root_start, cluster_size, 66)


def _root_label(root: bytes) -> str:
    for place in range(0, len(root) - _ENTRY_SIZE + 1, _ENTRY_SIZE):
        first, attributes = root[place], root[place + 11]
        if first == 0:
            break
        is_label = attributes & _LABEL_ENTRY and attributes != _LONG_NAME_ENTRY
        if is_label and first != _DELETED:
            return _text(root[place : place + 11])
    return ""


def _text(raw: bytes) -> str:
    # Labels are in the code page of whoever wrote them, which FAT does not record.
    return raw.decode("cp437").rstrip(" \0")


def _serial(number: int) -> str:
    return f"{number >> 16:04X}-{number & 0xFFFF:04X}"


def recognise_exfat(reader: SeekableReader, start: int) -> FileSystem | None:
    """What the boot sector at ``start`` says; ``None`` if it is not exFAT's."""
    boot = read_at(reader, start, 512)
    if len(boot) < 512 or boot[3:11] != b"EXFAT   ":
        return None
    heap_sector, clusters, root_cluster, serial = struct.unpack_from("<IIII", boot, 88)
    sector_shift, cluster_shift = boot[108], boot[109]
    if not 9 <= sector_shift <= 12 or sector_shift + cluster_shift > 25:
        return None
    cluster_size = 1 << sector_shift + cluster_shift
    root = b""
    if 2 <= root_cluster < clusters + 2:
        place = start + (heap_sector << sector_shift) + (root_cluster - 2) * cluster_size
        root = read_at(reader, place, min(cluster_size, _MOST_ROOT_BYTES))
    return FileSystem(FileSystemKind.EXFAT, _exfat_label(root), _serial(serial), cluster_size)


def _exfat_label(root: bytes) -> str:
    for place in range(0, len(root) - _ENTRY_SIZE + 1, _ENTRY_SIZE):
        if root[place] == 0:
            break
        if root[place] == _EXFAT_LABEL_ENTRY:
            units = min(root[place + 1], 11)
            return root[place + 2 : place + 2 + 2 * units].decode("utf-16-le", errors="replace")
    return ""
