"""A partition table as blocks to be arranged, and the table that an arrangement makes."""

from __future__ import annotations

from dataclasses import replace

from backup_agent.filesystems.gpt_encode import usable_extent
from backup_agent.filesystems.mbr_encode import MOST_SECTORS
from backup_agent.model.disk import (
    Extent,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
)
from backup_agent.targets.disk.arrange import Arrangement, Block
from backup_agent.targets.disk.chain import front_of, is_orderly, keeps_extended, new_links
from backup_agent.targets.disk.task import Task

_RECOVERY_TYPES = {"DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "27"}
# Neither Windows nor a boot loader remembers where these lie on a disk with an MBR.
_MOVABLE_ON_MBR = {
    FileSystemKind.EXT2,
    FileSystemKind.EXT3,
    FileSystemKind.EXT4,
    FileSystemKind.SWAP,
}
_LINUX_TYPES = {"82", "83", "8e", "fd"}
"""Swap, file systems, LVM, RAID."""
_LINUX_SECRETS = {FileSystemKind.LUKS, FileSystemKind.UNKNOWN}


def usable_for(table: PartitionTable, task: Task, *, keeps_table: bool) -> Extent:
    """What the partitions of a whole disk may use of the target."""
    target = replace(table, sector_size=task.sector_size)
    same = (task.target.size, task.sector_size) == (task.layout.size, table.sector_size)
    if same and keeps_table and table.partitions:
        # Whatever the table, it fitted: ours need not have the same number of entries.
        start = min(p.start for p in table.partitions)
        return Extent(start, max(p.extent.end for p in table.partitions) - start)
    if table.kind is TableKind.GPT:
        return usable_extent(target, task.target.size)
    sectors = min(task.target.size // task.sector_size, MOST_SECTORS)
    return Extent(task.sector_size, (sectors - 1) * task.sector_size)


def can_be_mended(table: PartitionTable, task: Task) -> bool:
    """Whether a flawed GPT can be whole on a disk like its own, its partitions where they are.

    Only where one of them lies on what the table needs, it cannot.
    """
    if table.kind is not TableKind.GPT or not table.flaws:
        return False
    usable = usable_extent(table, task.target.size)
    return all(
        usable.start <= partition.start and partition.extent.end <= usable.end
        for partition in table.partitions
    )


def block_of(partition: Partition, task: Task) -> Block | None:
    """A partition as the arrangement sees it, together with the link that leads to it.

    An extended partition is what its logical ones make of it; without any, it is a block.
    """
    table = task.layout.table
    if partition.role is PartitionRole.EXTENDED:
        if any(p.role is PartitionRole.LOGICAL for p in table.partitions):
            return None
        sector = task.sector_size
        return Block(partition.number, partition.start, sector, sector, movable=False)
    front = front_of(partition, table)
    facts = task.facts[partition.number]
    is_mbr = table.kind is TableKind.MBR
    is_recovery = partition.type.upper() in _RECOVERY_TYPES
    movable = not is_mbr or (
        _is_at_home_in_linux(partition, facts.kind)
        and (partition.role is PartitionRole.PRIMARY or is_orderly(table))
    )
    return Block(
        number=partition.number,
        start=partition.start - front,
        size=partition.size + front,
        smallest=(partition.size if is_recovery else facts.smallest) + front,
        movable=movable,
        growable=facts.is_resizable and not is_recovery,
        expendable=is_recovery and not movable,
    )


def _is_at_home_in_linux(partition: Partition, kind: FileSystemKind) -> bool:
    return kind in _MOVABLE_ON_MBR or (
        kind in _LINUX_SECRETS and partition.type.lower() in _LINUX_TYPES
    )


def new_table(
    old: PartitionTable, arrangement: Arrangement, usable: Extent, task: Task
) -> PartitionTable:
    partitions: list[Partition] = []
    links = new_links(old, arrangement.places)
    for partition in old.partitions:
        place = arrangement.places.get(partition.number)
        if partition.role is PartitionRole.EXTENDED:
            if keeps_extended(old, arrangement.places):
                start = links[0] if links else partition.start
                partitions.append(_extended(partition, start, old, arrangement, usable, task))
        elif place is not None:
            front = front_of(partition, old)
            moved = replace(partition, start=place.start + front, size=place.size - front)
            partitions.append(moved)
    return replace(
        old,
        sector_size=task.sector_size,
        partitions=tuple(partitions),
        links=tuple(Extent(start, task.sector_size) for start in links),
        primary=None,
        backup=None,
        flaws=(),
    )


def _extended(
    partition: Partition,
    start: int,
    old: PartitionTable,
    arrangement: Arrangement,
    usable: Extent,
    task: Task,
) -> Partition:
    """From its first link to where it ended, as far as what lies behind it lets it be."""
    inside = [
        arrangement.places[p.number].end
        for p in old.partitions
        if p.role is PartitionRole.LOGICAL and p.number in arrangement.places
    ]
    behind = [
        arrangement.places[p.number].start
        for p in old.partitions
        if p.role is PartitionRole.PRIMARY
        and p.start > partition.start
        and p.number in arrangement.places
    ]
    limit = min([usable.end, *behind])
    least = max([start + task.sector_size, *inside])
    most = min(partition.extent.end, limit)
    end = max(least, most - most % task.sector_size)
    return replace(partition, start=start, size=end - start)
