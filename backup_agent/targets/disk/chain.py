"""The chain of logical partitions in an extended one, on a disk where things have moved.

A logical partition travels together with its link, the sector in front that
tells of it. The extended partition begins where the first link does::

    | link | gap | logical 5 | link | gap | logical 6 |
    ^ extended partition
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, pairwise

from backup_agent.errors import TargetError
from backup_agent.model.disk import Extent, Partition, PartitionRole, PartitionTable
from backup_agent.targets.disk.task import Task


def is_orderly(table: PartitionTable) -> bool:
    """Whether each link stands right before its own partition, as all of today's tools do it.

    Nothing is moved in a chain that somebody laid in another way.
    """
    extended = [p.start for p in table.partitions if p.role is PartitionRole.EXTENDED]
    links = [link.start for link in table.links]
    logicals = [p.start for p in _logicals(table)]
    if len(links) != len(logicals) or links[:1] != extended:
        return False
    places = list(chain.from_iterable(zip(links, logicals, strict=True)))
    return all(before < after for before, after in pairwise(places))


def front_of(partition: Partition, table: PartitionTable) -> int:
    """Bytes from the link that leads to a logical partition to the partition itself."""
    if partition.role is not PartitionRole.LOGICAL:
        return 0
    logicals = [p.start for p in table.partitions if p.role is PartitionRole.LOGICAL]
    if partition.start == min(logicals):
        extended = next(p for p in table.partitions if p.role is PartitionRole.EXTENDED)
        return partition.start - extended.start
    before = [link.start for link in table.links if link.start < partition.start]
    return partition.start - max(before)


def new_links(old: PartitionTable, places: Mapping[int, Extent]) -> tuple[int, ...]:
    """Where the links stand now. ``places`` are those of links and partitions together."""
    logicals = _logicals(old)
    placed = [places[p.number].start for p in logicals if p.number in places]
    if placed and is_orderly(old):
        return tuple(placed)
    return () if logicals and not placed else tuple(link.start for link in old.links)


def keeps_extended(old: PartitionTable, places: Mapping[int, Extent]) -> bool:
    """An extended partition goes when all that was in it is left out."""
    logicals = _logicals(old)
    return not logicals or any(p.number in places for p in logicals)


def _logicals(table: PartitionTable) -> list[Partition]:
    return [p for p in table.partitions if p.role is PartitionRole.LOGICAL]


def refuse_unaligned_chain(table: PartitionTable, task: Task) -> None:
    """Raises ``TargetError``: a logical partition keeps its distance from its link."""
    places = [link.start for link in table.links]
    places += [p.start for p in table.partitions if p.role is not PartitionRole.PRIMARY]
    if any(place % task.sector_size for place in places):
        raise TargetError(
            f"The logical partitions of {task.source} do not start at sectors of"
            f" {task.sector_size} bytes, as {task.target.path} has them, and keep their distance"
            " from the links between them.",
            hint="Restore single volumes (--map disk0/volume5=…) to partitions made for them.",
        )
