"""What must be kept of a disk besides its volumes, and which volumes there are."""

from __future__ import annotations

from backup_agent.errors import PartitionTableError
from backup_agent.filesystems.partitions import SECTOR_SIZES, read_partition_table
from backup_agent.filesystems.reading import SeekableReader
from backup_agent.filesystems.recognise import recognise
from backup_agent.model.disk import (
    Area,
    AreaKind,
    Disk,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    PartitionTable,
    TableKind,
    Volume,
)

MOST_HEAD_BYTES = 16 << 20
"""Boot code lies within the first MiB or few; a late first partition must not cost gigabytes."""

MBR_TAIL_BYTES = 1 << 20
"""The size of Windows' database of dynamic disks (LDM)."""


def read_layout(reader: SeekableReader, disk: Disk, *, sector_size: int | None) -> DiskLayout:
    """The disk's table and the areas to keep with it.

    A disk whose table cannot be read or cannot be true, or could not be
    restored from the areas, is one undivided volume: what stands on a dying
    disk is wanted most of all. Raises :class:`SourceError` for what is too
    small to be a disk.
    """
    try:
        table = read_partition_table(reader, disk_size=disk.size, sector_size=sector_size)
        areas = tuple(_areas(table, disk.size))
    except PartitionTableError as exc:
        table, areas = _undivided(sector_size or SECTOR_SIZES[0], exc.message), ()
    return DiskLayout(
        size=disk.size,
        table=table,
        areas=areas,
        physical_sector_size=disk.physical_sector_size,
        model=disk.model,
        serial=disk.serial,
    )


def read_volumes(reader: SeekableReader, layout: DiskLayout) -> tuple[Volume, ...]:
    """The disk's volumes in the order of their numbers, with what is recognised in each.

    Nothing is in those that hold unknown partitions, too: to believe what their first
    sectors say would be to leave out what they call unused.
    """
    if layout.table.kind is TableKind.NONE:
        places = [(0, Extent(0, layout.size))]
    else:
        places = [(p.number, p.extent) for p in layout.table.partitions if p.holds_volume]
    unknown = FileSystem(FileSystemKind.UNKNOWN)
    return tuple(
        Volume(
            number,
            extent.start,
            extent.size,
            unknown if number in layout.table.undivided else recognise(reader, extent.start),
        )
        for number, extent in places
    )


def _undivided(sector_size: int, why: str) -> PartitionTable:
    return PartitionTable(
        kind=TableKind.NONE,
        sector_size=sector_size,
        flaws=(f"{why} The whole disk is taken as it is, used or not.",),
        undivided=(0,),
    )


def _areas(table: PartitionTable, disk_size: int) -> list[Area]:
    if table.kind is TableKind.NONE:
        return []
    starts = [partition.start for partition in table.partitions]
    if table.backup:
        starts.append(table.backup.start)
    head = Extent(0, min([MOST_HEAD_BYTES, disk_size, *starts]))
    if table.primary and table.primary.end > head.end:
        raise PartitionTableError(
            f"The partition table reaches to byte {table.primary.end},"
            f" further than the {head.size} bytes kept of the disk's head."
        )
    areas = [Area("head.img", AreaKind.HEAD, head)]
    areas += [
        Area(f"ebr-{index}.img", AreaKind.LINK, link) for index, link in enumerate(table.links)
    ]
    if tail := _tail(table, disk_size):
        areas.append(Area("tail.img", AreaKind.TAIL, tail))
    return areas


def _tail(table: PartitionTable, disk_size: int) -> Extent | None:
    """GPT's second copy, or the last MiB of an MBR disk, as far as no partition reaches into it.

    There, Windows keeps the database of dynamic disks and Linux the superblocks of old RAIDs.
    """
    if table.kind is TableKind.GPT:
        return table.backup
    start = max([disk_size - MBR_TAIL_BYTES, *(p.extent.end for p in table.partitions)])
    return Extent(start, disk_size - start) if start < disk_size else None
