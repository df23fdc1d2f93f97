"""Boot records with other partitions in them: sector 0, and the chain of logical partitions.

The layout is told in :mod:`backup_agent.filesystems.mbr`. Everything in a
record that is no entry stays as it was, boot code above all; so does an entry
whose partition keeps its place, with the CHS numbers somebody once wrote there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from backup_agent.model.disk import Extent, Partition, PartitionRole, PartitionTable

MOST_SECTORS = 0xFFFFFFFF
"""Places and sizes have 32 bits."""

_ENTRY = struct.Struct("<B3sB3sII")
_ENTRIES_START = 446
_TYPE_CHAINED = 0x05
# The geometry every BIOS pretends to for disks above 8 GB.
_HEADS, _TRACK = 255, 63
_LAST_CYLINDER = 1023


def encode_boot_record(sector: bytes, table: PartitionTable) -> bytes:
    """Sector 0 with the table's signature and primary partitions; as long as ``sector``."""
    record = bytearray(sector)
    struct.pack_into("<I", record, 440, int(table.id, 16))
    taken = {p.number: p for p in table.partitions if p.role is not PartitionRole.LOGICAL}
    for slot in (1, 2, 3, 4):
        partition = taken.get(slot)
        entry = _entry(partition, 0, table.sector_size) if partition else bytes(_ENTRY.size)
        _put(record, slot, entry)
    record[510:512] = b"\x55\xaa"
    return bytes(record)


def encode_chain(links: Sequence[bytes], table: PartitionTable) -> tuple[bytes, ...]:
    """The sectors of ``table.links``, out of what stood there, for the table's logical partitions.

    Each logical partition belongs to the last link before it. A link behind
    the last of them is left out: the result may be shorter than ``links``.
    """
    extended = [p for p in table.partitions if p.role is PartitionRole.EXTENDED]
    if not extended:
        return ()
    logicals = [p for p in table.partitions if p.role is PartitionRole.LOGICAL]
    owned = [_owned(index, table.links, logicals) for index in range(len(table.links))]
    used = max((i + 1 for i, partition in enumerate(owned) if partition), default=1)
    records: list[bytes] = []
    for index, sector in enumerate(links[:used]):
        record = bytearray(sector)
        place, partition = table.links[index].start, owned[index]
        first = _entry(partition, place, table.sector_size) if partition else bytes(_ENTRY.size)
        following = bytes(_ENTRY.size)
        if index + 1 < used:
            reach = _reach(table.links[index + 1], owned[index + 1])
            following = _encode(0, _TYPE_CHAINED, reach, extended[0].start, table.sector_size)
        for slot, entry in ((1, first), (2, following)):
            _put(record, slot, entry)
        record[510:512] = b"\x55\xaa"
        records.append(bytes(record))
    return tuple(records)


def _owned(index: int, links: Sequence[Extent], logicals: Sequence[Partition]) -> Partition | None:
    """The logical partition that the link describes, if any."""
    for partition in logicals:
        before = [link.start for link in links if link.start < partition.start]
        if before and max(before) == links[index].start:
            return partition
    return None


def _reach(link: Extent, partition: Partition | None) -> Extent:
    end = partition.extent.end if partition else link.end
    return Extent(link.start, end - link.start)


def _put(record: bytearray, slot: int, entry: bytes) -> None:
    place = _ENTRIES_START + 16 * (slot - 1)
    # Status, type, place and size: if they are the same, so may the CHS numbers be.
    if _bare(bytes(record[place : place + 16])) != _bare(entry):
        record[place : place + 16] = entry


def _bare(entry: bytes) -> tuple[int, ...]:
    status, _, kind, _, first, count = _ENTRY.unpack(entry)
    return status, kind, first, count


def _entry(partition: Partition, base: int, sector_size: int) -> bytes:
    return _encode(
        partition.attributes, int(partition.type, 16), partition.extent, base, sector_size
    )


def _encode(status: int, kind: int, extent: Extent, base: int, sector_size: int) -> bytes:
    first, count = extent.start // sector_size, extent.size // sector_size
    return _ENTRY.pack(
        status, _chs(first), kind, _chs(first + count - 1), first - base // sector_size, count
    )


def _chs(sector: int) -> bytes:
    """Cylinder, head and sector; the last there is for what lies behind it."""
    cylinder, rest = divmod(sector, _HEADS * _TRACK)
    head, within = divmod(rest, _TRACK)
    if cylinder > _LAST_CYLINDER:
        cylinder, head, within = _LAST_CYLINDER, _HEADS - 1, _TRACK - 1
    return bytes((head, (cylinder >> 8) << 6 | within + 1, cylinder & 0xFF))
