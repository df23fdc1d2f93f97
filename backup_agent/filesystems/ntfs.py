"""NTFS: the boot sector, and the label out of ``$Volume``.

The boot sector, little endian: 3 "NTFS    ", 11 u16 bytes per sector,
13 u8 sectors per cluster (above 0x80: a power of two, negated),
40 u64 sectors, 48 u64 first cluster of the MFT, 64 s8 clusters per file
record (negative: a power of two of bytes), 72 u64 serial.

The label is the ``$VOLUME_NAME`` attribute (0x60) of file record 3.
"""

from __future__ import annotations

import struct

from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import FileSystem, FileSystemKind

_VOLUME_RECORD = 3
_VOLUME_NAME = 0x60
_END_OF_ATTRIBUTES = 0xFFFFFFFF
_FIXUP_STRIDE = 512


def recognise_ntfs(reader: SeekableReader, start: int) -> FileSystem | None:
    """What the boot sector at ``start`` says; ``None`` if it is not NTFS's."""
    boot = read_at(reader, start, 512)
    if len(boot) < 512 or boot[3:11] != b"NTFS    ":
        return None
    sector_size, cluster_code = struct.unpack_from("<HB", boot, 11)
    mft_cluster, record_code = struct.unpack_from("<Q8xb", boot, 48)
    (serial,) = struct.unpack_from("<Q", boot, 72)
    cluster_sectors = cluster_code if cluster_code <= 0x80 else 1 << min(256 - cluster_code, 16)
    cluster_size = sector_size * cluster_sectors
    if not _is_power_of_two(cluster_size) or cluster_size > 2 << 20:
        return None
    record_size = record_code * cluster_size if record_code > 0 else 1 << min(-record_code, 16)
    record = b""
    if _FIXUP_STRIDE <= record_size <= 65536 and mft_cluster < 1 << 48:
        place = start + mft_cluster * cluster_size + _VOLUME_RECORD * record_size
        record = read_at(reader, place, record_size)
    return FileSystem(FileSystemKind.NTFS, _label(record), f"{serial:016X}", cluster_size)


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def _label(record: bytes) -> str:
    """The name inside a ``$Volume`` record; empty for a record that is not whole."""
    fixed = with_fixups(record)
    if fixed is None:
        return ""
    (place,) = struct.unpack_from("<H", fixed, 20)
    while place + 24 <= len(fixed):
        kind, length, non_resident = struct.unpack_from("<IIB", fixed, place)
        if kind == _END_OF_ATTRIBUTES or length < 24:
            return ""
        if kind == _VOLUME_NAME and not non_resident:
            size, offset = struct.unpack_from("<IH", fixed, place + 16)
            value = fixed[place + offset : place + min(offset + size, length)]
            return value.decode("utf-16-le", errors="replace")
        place += length
    return ""


def with_fixups(record: bytes, *, magic: bytes = b"FILE") -> bytes | None:
    """The record with each sector's last two bytes put back; ``None`` if it is damaged.

    NTFS replaces them by a counter when it writes, so that a torn write shows.
    """
    if len(record) < _FIXUP_STRIDE or not record.startswith(magic):
        return None
    offset, count = struct.unpack_from("<HH", record, 4)
    strides = len(record) // _FIXUP_STRIDE
    if count != strides + 1 or offset + 2 * count > len(record):
        return None
    fixed = bytearray(record)
    for byte in (0, 1):
        # Slices, for there are records by the hundred thousand.
        ends = slice(_FIXUP_STRIDE - 2 + byte, strides * _FIXUP_STRIDE, _FIXUP_STRIDE)
        start = offset + byte
        if record[ends] != record[start : start + 1] * strides:
            return None
        fixed[ends] = record[start + 2 : start + 2 * count : 2]
    return bytes(fixed)
