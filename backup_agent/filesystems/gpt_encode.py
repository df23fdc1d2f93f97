"""A GUID partition table out of values: both copies, and the boot record that protects them.

The layout is told in :mod:`backup_agent.filesystems.gpt`. Both copies have
as many entries of 128 bytes as the table has, or as the highest partition number needs: the
first copy lies in the sectors from 1 on, the second in the disk's last ones,
entries before header.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from zlib import crc32

from backup_agent.filesystems.mbr import TYPE_PROTECTIVE
from backup_agent.model.disk import Extent, Partition, PartitionTable

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_REVISION = 0x00010000
_RECORD_ENTRY = struct.Struct("<B3sB3sII")
_ENTRIES_START = 446
_MOST_SECTORS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class GptImage:
    """The bytes of both copies, and where on the disk each begins."""

    primary_start: int
    primary: bytes
    backup_start: int
    backup: bytes


def usable_extent(table: PartitionTable, disk_size: int) -> Extent:
    """The bytes of a disk of that size which partitions of this table may use."""
    sector = table.sector_size
    entries = _entry_sectors(table)
    last = disk_size // sector - 1 - entries
    first = max(2 + entries, -(-table.first_usable // sector))
    return Extent(first * sector, max(last - first, 0) * sector)


def encode_gpt(table: PartitionTable, disk_size: int) -> GptImage:
    """The table for a disk of ``disk_size`` bytes, in sectors of ``table.sector_size``.

    The caller has seen to it that the partitions lie within
    :func:`usable_extent` and start and end at sectors.
    """
    sector = table.sector_size
    entries = _entries(table)
    count = _entry_sectors(table)
    last = disk_size // sector - 1
    padded = entries.ljust(count * sector, b"\0")
    usable = usable_extent(table, disk_size)

    def header(own: int, other: int, first_entry: int) -> bytes:
        bare = _HEADER.pack(
            b"EFI PART", _REVISION, _HEADER.size, 0, 0, own, other,
            usable.start // sector, usable.end // sector - 1, _guid(table.id),
            first_entry, len(entries) // _ENTRY.size, _ENTRY.size, crc32(entries),
        )  # fmt: skip
        sealed = bare[:16] + struct.pack("<I", crc32(bare)) + bare[20:]
        return sealed.ljust(sector, b"\0")

    return GptImage(
        primary_start=sector,
        primary=header(1, last, 2) + padded,
        backup_start=(last - count) * sector,
        backup=padded + header(last, 1, last - count),
    )


def encode_protective_record(boot_sector: bytes, disk_size: int, sector_size: int) -> bytes:
    """The first sector of a GPT disk: ``boot_sector``'s code, and one entry over all the rest.

    The entry's status byte is kept (some firmware boots only from an active
    one). Returns ``sector_size`` bytes.
    """
    record = bytearray(boot_sector[:512].ljust(sector_size, b"\0"))
    old = [record[_ENTRIES_START + 16 * i : _ENTRIES_START + 16 * (i + 1)] for i in range(4)]
    status = next((entry[0] for entry in old if entry[4] == TYPE_PROTECTIVE), 0)
    sectors = min(disk_size // sector_size - 1, _MOST_SECTORS)
    record[_ENTRIES_START:510] = bytes(64)
    _RECORD_ENTRY.pack_into(
        record, _ENTRIES_START, status, b"\0\2\0", TYPE_PROTECTIVE, b"\xff\xff\xff", 1, sectors
    )
    record[510:512] = b"\x55\xaa"
    return bytes(record)


def _entry_sectors(table: PartitionTable) -> int:
    return -(-_entry_count(table) * _ENTRY.size // table.sector_size)


def _entry_count(table: PartitionTable) -> int:
    return max([table.entries, *(partition.number for partition in table.partitions)])


def _entries(table: PartitionTable) -> bytes:
    array = bytearray(_entry_count(table) * _ENTRY.size)
    for partition in table.partitions:
        place = (partition.number - 1) * _ENTRY.size
        array[place : place + _ENTRY.size] = _entry(partition, table.sector_size)
    return bytes(array)


def _entry(partition: Partition, sector_size: int) -> bytes:
    # What was half a character when it was read is one whole U+FFFD: at most 36 units either way.
    return _ENTRY.pack(
        _guid(partition.type),
        _guid(partition.guid),
        partition.start // sector_size,
        partition.extent.end // sector_size - 1,
        partition.attributes,
        partition.name.encode("utf-16-le"),
    )


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le
