"""The GUID partition table: two copies, each a header and an array of entries.

UEFI Specification 2.10, chapter 5.3. The header is one sector, little endian::

    0   "EFI PART", u32 revision, u32 header size, u32 CRC-32 of the header
        (itself as zeros), u32 zero
    24  u64 this header's sector, u64 the other copy's
    40  u64 first and u64 last sector that partitions may use
    56  disk GUID
    72  u64 first sector of the entries, u32 how many, u32 size of each,
        u32 CRC-32 of all of them

An entry is at least 128 bytes: type GUID (zero: unused), its own GUID,
u64 first sector, u64 last sector (inclusive), u64 attributes, 36 UTF-16 units of name.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from zlib import crc32

from backup_agent.errors import PartitionTableError
from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import (
    USUAL_ENTRIES,
    Extent,
    Partition,
    PartitionTable,
    TableKind,
)

SIGNATURE = b"EFI PART"
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_UNUSED = bytes(16)
# 128 entries of 128 bytes are the rule; a thousand times that is a lie.
_MOST_ENTRY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class GptCopy:
    """One of the two copies, its checksums right. Sector numbers as they stand there."""

    header: Extent
    entries: Extent
    disk_guid: str
    other_sector: int
    partitions: tuple[Partition, ...]
    room: int
    """How many partitions it has entries for."""
    first_usable: int
    """In bytes."""

    @property
    def whole(self) -> Extent:
        """From the first to the last of its bytes."""
        start = min(self.header.start, self.entries.start)
        return Extent(start, max(self.header.end, self.entries.end) - start)

    def agrees_with(self, other: GptCopy) -> bool:
        return (self.disk_guid, self.partitions) == (other.disk_guid, other.partitions)


def read_gpt(reader: SeekableReader, disk_size: int, sector_size: int) -> PartitionTable:
    """The table of a disk, from whichever copy is whole; the first where both are.

    Raises :class:`PartitionTableError` when neither is. Whether partitions
    overlap or leave the disk is left to the caller.
    """
    flaws: list[str] = []
    primary = _try_copy(reader, 1, disk_size, sector_size, "first", flaws)
    last_sector = disk_size // sector_size - 1
    backup_sector = primary.other_sector if primary else last_sector
    backup = _try_copy(reader, backup_sector, disk_size, sector_size, "second", flaws)
    copy = primary or backup
    if copy is None:
        raise PartitionTableError(
            "Both copies of the partition table are damaged. " + " ".join(flaws),
            hint="gdisk can often rebuild such a table; back up the disk after that.",
        )
    if primary and backup and not primary.agrees_with(backup):
        flaws.append("The two copies of the partition table differ; the first is believed.")
    if backup and backup_sector != last_sector:
        flaws.append("The second copy of the partition table is not at the disk's end.")
    return PartitionTable(
        kind=TableKind.GPT,
        sector_size=sector_size,
        id=copy.disk_guid,
        partitions=copy.partitions,
        primary=primary.whole if primary else None,
        backup=backup.whole if backup else None,
        flaws=tuple(flaws),
        entries=copy.room or USUAL_ENTRIES,
        first_usable=_believable(copy.first_usable, copy),
    )


def has_gpt(reader: SeekableReader, disk_size: int, sector_size: int) -> bool:
    """Whether either copy's signature stands where this sector size puts it."""
    places = (sector_size, disk_size // sector_size * sector_size - sector_size)
    return any(place > 0 and _is_signed(reader, place) for place in places)


def _is_signed(reader: SeekableReader, place: int) -> bool:
    try:
        return read_at(reader, place, len(SIGNATURE)) == SIGNATURE
    except OSError:
        # One unreadable copy is what the other is for.
        return False


def _try_copy(
    reader: SeekableReader,
    sector: int,
    disk_size: int,
    sector_size: int,
    which: str,
    flaws: list[str],
) -> GptCopy | None:
    try:
        return _read_copy(reader, sector, disk_size, sector_size)
    except PartitionTableError as exc:
        flaws.append(f"The {which} copy of the partition table is damaged: {exc.message}.")
    except OSError as exc:
        flaws.append(f"The {which} copy of the partition table cannot be read: {exc.strerror}.")
    return None


def _read_copy(reader: SeekableReader, sector: int, disk_size: int, sector_size: int) -> GptCopy:
    """Raises :class:`PartitionTableError`; its message is the end of a sentence."""
    header = Extent(sector * sector_size, sector_size)
    if sector < 1 or header.end > disk_size:
        raise PartitionTableError("it would lie outside the disk")
    raw = read_at(reader, header.start, header.size)
    if len(raw) < sector_size or not raw.startswith(SIGNATURE):
        raise PartitionTableError("its signature is missing")
    (_, _, header_size, checksum, _, own, other, first, _, guid, *array) = _HEADER.unpack_from(raw)
    if not _HEADER.size <= header_size <= sector_size:
        raise PartitionTableError(f"it claims a header of {header_size} bytes")
    if crc32(raw[:16] + bytes(4) + raw[20:header_size]) != checksum:
        raise PartitionTableError("its header's checksum is wrong")
    if own != sector:
        raise PartitionTableError(f"it claims to be sector {own}, but is sector {sector}")
    entries, partitions = _read_entries(reader, array, disk_size, sector_size)
    _, room, _, _ = array
    return GptCopy(
        header, entries, _guid(guid), other, partitions, room, first_usable=first * sector_size
    )


def _believable(first_usable: int, copy: GptCopy) -> int:
    """Some tools leave rubbish there; a partition before it would make the table invalid."""
    starts = [partition.start for partition in copy.partitions]
    return first_usable if starts and first_usable <= min(starts) else 0


def _read_entries(
    reader: SeekableReader, array: list[int], disk_size: int, sector_size: int
) -> tuple[Extent, tuple[Partition, ...]]:
    first_sector, count, entry_size, checksum = array
    if entry_size < _ENTRY.size or entry_size % 8 or count * entry_size > _MOST_ENTRY_BYTES:
        raise PartitionTableError(f"it claims {count} entries of {entry_size} bytes")
    extent = Extent(first_sector * sector_size, count * entry_size)
    if first_sector < 1 or extent.end > disk_size:
        raise PartitionTableError("its entries would lie outside the disk")
    raw = read_at(reader, extent.start, extent.size)
    if crc32(raw) != checksum:
        raise PartitionTableError("its entries' checksum is wrong")
    partitions = (
        _partition(number, raw[entry_size * (number - 1) :], sector_size)
        for number in range(1, count + 1)
        if not raw.startswith(_UNUSED, entry_size * (number - 1))
    )
    return extent, tuple(partitions)


def _partition(number: int, entry: bytes, sector_size: int) -> Partition:
    type_guid, guid, first, last, attributes, name = _ENTRY.unpack_from(entry)
    if last < first:
        raise PartitionTableError(f"partition {number} ends before it starts")
    return Partition(
        number=number,
        start=first * sector_size,
        size=(last - first + 1) * sector_size,
        type=_guid(type_guid),
        guid=_guid(guid),
        # The raw bytes are kept with the disk's head; here, half a surrogate may become U+FFFD.
        name=name.decode("utf-16-le", errors="replace").partition("\0")[0],
        attributes=attributes,
    )


def _guid(raw: bytes) -> str:
    return str(uuid.UUID(bytes_le=raw)).upper()
