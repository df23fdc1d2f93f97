"""The MBR partition table and its chain of logical partitions.

A boot record is sector 0 of the disk, or of an extended partition::

    0    boot code
    440  u32  disk signature (sector 0 only)
    446  4 x 16 bytes: status, CHS, type, CHS, u32 first sector, u32 sectors
    510  55 AA

In sector 0 the first sector counts from the disk's start. An extended
partition begins a chain of further boot records (EBRs); in those, one entry
is a logical partition, counted from that record, and one may point to the
next record, counted from the *extended partition's* start. All little
endian. There is no standard; this is what Linux and Windows agree on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backup_agent.errors import PartitionTableError
from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import (
    Extent,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
    overlap,
)

TYPE_PROTECTIVE = 0xEE
_TYPES_EXTENDED = {0x05, 0x0F, 0x85}
_ENTRY = struct.Struct("<B3xB3xII")
_ENTRIES_START = 446
_RECORD_SIZE = 512
_FIRST_LOGICAL = 5
# Far above what any system shows (Linux: 255 devices a disk); stops a chain that would not end.
_MOST_LOGICALS = 256
# What aligning its first partition costs; a smaller one has no room for any.
_ROOM_FOR_NONE = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One of a boot record's four; sectors as they stand there."""

    slot: int
    status: int
    type: int
    first_sector: int
    sectors: int

    @property
    def is_extended(self) -> bool:
        return self.type in _TYPES_EXTENDED


@dataclass(frozen=True, slots=True)
class BootRecord:
    """The used entries of one boot record."""

    signature: int
    entries: tuple[Entry, ...]

    @property
    def is_protective(self) -> bool:
        """Whether it only says that there is a GPT (or, hybrid, says that too)."""
        return any(entry.type == TYPE_PROTECTIVE for entry in self.entries)

    @property
    def is_hybrid(self) -> bool:
        """Whether it protects a GPT and names partitions of its own beside that."""
        return self.is_protective and any(e.type != TYPE_PROTECTIVE for e in self.entries)


def parse_boot_record(sector: bytes) -> BootRecord | None:
    """The record in a sector's first 512 bytes; ``None`` if they hold something else.

    A file system's boot sector ends in 55 AA, too: there, boot code stands
    where the entries would be, and its bytes are no status.
    """
    if len(sector) < _RECORD_SIZE or sector[510:512] != b"\x55\xaa":
        return None
    entries = [
        Entry(slot, *_ENTRY.unpack_from(sector, _ENTRIES_START + 16 * (slot - 1)))
        for slot in (1, 2, 3, 4)
    ]
    if any(entry.status not in (0x00, 0x80) for entry in entries):
        return None
    (signature,) = struct.unpack_from("<I", sector, 440)
    return BootRecord(signature, tuple(e for e in entries if e.type and e.sectors))


def read_mbr(reader: SeekableReader, record: BootRecord, sector_size: int) -> PartitionTable:
    """The table that begins with the boot record in sector 0.

    An extended partition whose chain loops, leaves it, breaks off or cannot be
    read is a volume like any other, with a flaw: what is in it is not lost with
    one sector. Raises :class:`PartitionTableError` for two extended partitions.
    Whether primary partitions overlap or leave the disk is left to the caller.
    """
    primaries = tuple(_partition(entry, 0, sector_size) for entry in record.entries)
    extended = [p for p in primaries if p.role is PartitionRole.EXTENDED]
    if len(extended) > 1:
        raise PartitionTableError("The partition table has two extended partitions.")
    table = PartitionTable(
        kind=TableKind.MBR,
        sector_size=sector_size,
        id=f"{record.signature:08x}",
        partitions=primaries,
    )
    if not extended:
        return table
    try:
        logicals, links = _Chain(reader, extended[0], sector_size).walk()
    except PartitionTableError as exc:
        return _undivided(table, extended[0].number, exc.message)
    flaws = () if logicals else tuple(_emptiness(extended[0]))
    return replace(table, partitions=primaries + logicals, links=links, flaws=flaws)


def _emptiness(extended: Partition) -> Iterator[str]:
    """Words for a chain that ends where it begins: somebody may have wiped its first link."""
    if extended.size > _ROOM_FOR_NONE:
        yield (
            f"Extended partition {extended.number} names no logical partition, so nothing in it is"
            " stored. If there should be some, their list was wiped: testdisk may find them."
        )


def _undivided(table: PartitionTable, number: int, why: str) -> PartitionTable:
    """The table with its extended partition as one that holds a volume."""
    return replace(
        table,
        partitions=tuple(replace(p, role=PartitionRole.PRIMARY) for p in table.partitions),
        flaws=(f"{why} Extended partition {number} is taken as a whole, whatever is in it.",),
        undivided=(number,),
    )


def _partition(entry: Entry, base: int, sector_size: int) -> Partition:
    return Partition(
        number=entry.slot,
        start=base + entry.first_sector * sector_size,
        size=entry.sectors * sector_size,
        type=f"{entry.type:02x}",
        role=PartitionRole.EXTENDED if entry.is_extended else PartitionRole.PRIMARY,
        attributes=entry.status,
    )


def _is_blank(record: bytes) -> bool:
    return not any(record[: _RECORD_SIZE - 2])


class _Chain:
    """The boot records inside one extended partition."""

    def __init__(self, reader: SeekableReader, extended: Partition, sector_size: int) -> None:
        self._reader = reader
        self._extended = extended.extent
        self._sector_size = sector_size
        self._links: list[Extent] = []
        self._logicals: list[Partition] = []

    def walk(self) -> tuple[tuple[Partition, ...], tuple[Extent, ...]]:
        """The logical partitions, and the sectors that hold the chain.

        Raises :class:`PartitionTableError` for a chain that cannot be believed.
        """
        place: int | None = self._extended.start
        while place is not None:
            record = self._read(place)
            self._links.append(Extent(place, self._sector_size))
            # Some systems leave rubbish in the third and fourth entry of an EBR.
            used = [entry for entry in record.entries if entry.slot <= 2]
            self._add_logical(place, [entry for entry in used if not entry.is_extended])
            place = self._next([entry for entry in used if entry.is_extended])
        if problem := overlap(self._logicals, self._links):
            raise PartitionTableError(problem)
        return tuple(self._logicals), tuple(self._links)

    def _read(self, place: int) -> BootRecord:
        try:
            sector = read_at(self._reader, place, self._sector_size)
        except OSError as exc:
            raise PartitionTableError(
                "The chain of logical partitions breaks off:"
                f" byte {place} cannot be read ({exc.strerror})."
            ) from exc
        record = parse_boot_record(sector)
        # Whoever makes an extended partition writes a first record: it names nothing yet, and
        # nothing else is in it. The boot sector of a file system can look like one.
        if record is None or not (record.entries or self._links or _is_blank(sector)):
            raise PartitionTableError(
                f"The chain of logical partitions breaks off: byte {place} holds no boot record."
            )
        return record

    def _add_logical(self, place: int, entries: list[Entry]) -> None:
        if len(entries) > 1:
            raise PartitionTableError(
                f"The boot record at byte {place} names two logical partitions instead of one."
            )
        for entry in entries:
            extent = Extent(
                place + entry.first_sector * self._sector_size, entry.sectors * self._sector_size
            )
            number = _FIRST_LOGICAL + len(self._logicals)
            if extent.start < self._extended.start or extent.end > self._extended.end:
                raise PartitionTableError(
                    f"Logical partition {number} reaches beyond the extended partition around it."
                )
            self._logicals.append(
                Partition(
                    number=number,
                    start=extent.start,
                    size=extent.size,
                    type=f"{entry.type:02x}",
                    role=PartitionRole.LOGICAL,
                    attributes=entry.status,
                )
            )

    def _next(self, entries: list[Entry]) -> int | None:
        if not entries:
            return None
        place = self._extended.start + entries[0].first_sector * self._sector_size
        if place + self._sector_size > self._extended.end:
            raise PartitionTableError("The chain of logical partitions leaves its partition.")
        if any(link.start == place for link in self._links):
            raise PartitionTableError("The chain of logical partitions runs in a circle.")
        if len(self._links) >= _MOST_LOGICALS:
            raise PartitionTableError(
                f"The chain of logical partitions has more than {_MOST_LOGICALS} links."
            )
        return place
