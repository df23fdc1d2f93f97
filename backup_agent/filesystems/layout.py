"""What must be kept of a disk besides its volumes, and which volumes there are."""

from __future__ import annotations

from backup_agent.errors import PartitionTableError
from backup_agent.filesystems.partitions import read_partition_table
from backup_agent.filesystems.reading import SeekableReader
from backup_agent.filesystems.recognise import recognise
from backup_agent.model.disk import (
    Area,
    AreaKind,
    Disk,
    DiskLayout,
    Extent,
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

    Raises :class:`PartitionTableError` for a table that cannot be true, or
    that could not be restored from the areas.
    """
    table = read_partition_table(reader, disk_size=disk.size, sector_size=sector_size)
    return DiskLayout(
        size=disk.size,
        table=table,
        areas=tuple(_areas(table, disk.size)),
        physical_sector_size=disk.physical_sector_size,
        model=disk.model,
        serial=disk.serial,
    )


def read_volumes(reader: SeekableReader, layout: DiskLayout) -> tuple[Volume, ...]:
    """The disk's volumes in the order of their numbers, with what is recognised in each."""
    if layout.table.kind is TableKind.NONE:
        places = [(0, Extent(0, layout.size))]
    else:
        places = [(p.number, p.extent) for p in layout.table.partitions if p.holds_volume]
    return tuple(
        Volume(number, extent.start, extent.size, recognise(reader, extent.start))
        for number, extent in places
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
