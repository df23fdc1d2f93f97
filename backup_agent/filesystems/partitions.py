"""How a disk is divided: finds the partition table, whatever its kind, and checks what it says."""

from __future__ import annotations

from dataclasses import replace

from backup_agent.errors import PartitionTableError, SourceError
from backup_agent.filesystems.gpt import SIGNATURE, has_gpt, read_gpt
from backup_agent.filesystems.mbr import BootRecord, parse_boot_record, read_mbr
from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.filesystems.recognise import recognise
from backup_agent.model.disk import (
    FileSystemKind,
    PartitionTable,
    TableKind,
    contradiction,
)

SECTOR_SIZES = (512, 4096)


def read_partition_table(
    reader: SeekableReader, *, disk_size: int, sector_size: int | None
) -> PartitionTable:
    """What divides the disk. Where ``sector_size`` is ``None`` (an image), it is found.

    A disk without a table, or with an MBR that names no partition, is one
    undivided volume: so nothing on it can be overlooked.

    Raises :class:`PartitionTableError` for a table that contradicts itself or
    the disk's size, or cannot be read; :class:`SourceError` for what is too
    small to be a disk.
    """
    sector_sizes = SECTOR_SIZES if sector_size is None else (sector_size,)
    if disk_size < max(sector_sizes):
        raise SourceError(f"It is too small to be a disk: {disk_size} bytes.")
    table = _read(reader, disk_size, sector_sizes)
    if problem := contradiction(table, disk_size):
        raise PartitionTableError(
            problem,
            hint="An image file may be cut off; gdisk or testdisk can repair a disk's table.",
        )
    return table


def _read(reader: SeekableReader, disk_size: int, sector_sizes: tuple[int, ...]) -> PartitionTable:
    try:
        record = parse_boot_record(read_at(reader, 0, 512))
    except OSError as exc:
        return _read_past_sector_0(reader, disk_size, sector_sizes, exc)
    if record and record.is_protective:
        return _read_gpt(reader, disk_size, sector_sizes)
    if record and record.entries:
        return _read_mbr(reader, record, sector_sizes)
    return _read_unprotected(reader, disk_size, sector_sizes)


def _read_gpt(
    reader: SeekableReader, disk_size: int, sector_sizes: tuple[int, ...]
) -> PartitionTable:
    """The GPT in the sector size under which it is soundest: another may show a remnant."""
    places = [size for size in sector_sizes if has_gpt(reader, disk_size, size)]
    if len(places) < 2:
        return read_gpt(reader, disk_size, places[0] if places else sector_sizes[0])
    tables: list[PartitionTable] = []
    for size in places:
        try:
            tables.append(read_gpt(reader, disk_size, size))
        except PartitionTableError as exc:
            damage = exc
    if not tables:
        raise damage
    return min(tables, key=lambda table: len(table.flaws))


def _read_mbr(
    reader: SeekableReader, record: BootRecord, sector_sizes: tuple[int, ...]
) -> PartitionTable:
    """The MBR in the sector size under which its partitions hold the most known file systems.

    Nothing in an MBR tells its sector size; the wrong one would store the wrong bytes.
    """

    def known_file_systems(sector_size: int) -> int:
        starts = (entry.first_sector * sector_size for entry in record.entries)
        kinds = [recognise(reader, start).kind for start in starts]
        return sum(kind is not FileSystemKind.UNKNOWN for kind in kinds)

    likely = max(sector_sizes, key=known_file_systems) if len(sector_sizes) > 1 else sector_sizes[0]
    return read_mbr(reader, record, likely)


def _read_unprotected(
    reader: SeekableReader, disk_size: int, sector_sizes: tuple[int, ...]
) -> PartitionTable:
    """A GPT whose sector 0 was wiped, or else no table.

    Only the first copy counts: the second one alone is what remains of a disk
    that was later formatted as a whole.
    """
    undivided = PartitionTable(kind=TableKind.NONE, sector_size=sector_sizes[0])
    if recognise(reader, 0).kind is not FileSystemKind.UNKNOWN:
        return undivided
    for size in sector_sizes:
        if _is_signed(reader, size):
            table = read_gpt(reader, disk_size, size)
            return replace(
                table, flaws=("The protective MBR in sector 0 is missing.", *table.flaws)
            )
    return undivided


def _is_signed(reader: SeekableReader, place: int) -> bool:
    try:
        return read_at(reader, place, len(SIGNATURE)) == SIGNATURE
    except OSError as exc:
        raise PartitionTableError(
            "Sector 0 holds no partition table, and what is behind it cannot be read:"
            f" {exc.strerror}."
        ) from exc


def _read_past_sector_0(
    reader: SeekableReader, disk_size: int, sector_sizes: tuple[int, ...], failure: OSError
) -> PartitionTable:
    """The GPT behind a sector 0 that cannot be read, if nothing else is wrong with it.

    That sector might have held an MBR, beside which one copy can be a remnant; two whole
    ones that agree are not.
    """
    reason = f"Sector 0 of the disk cannot be read: {failure.strerror}."
    if any(has_gpt(reader, disk_size, size) for size in sector_sizes):
        table = _read_gpt(reader, disk_size, sector_sizes)
        if not table.flaws:
            return replace(table, flaws=(reason,))
    raise PartitionTableError(reason)
