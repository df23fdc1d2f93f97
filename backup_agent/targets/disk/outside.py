"""The bytes outside the volumes: partition table and boot code, and the order to write them in."""

from __future__ import annotations

from dataclasses import dataclass

from backup_agent.filesystems.gpt_encode import encode_gpt, encode_protective_record
from backup_agent.filesystems.mbr_encode import encode_boot_record, encode_chain
from backup_agent.model.disk import AreaKind, DiskLayout, Extent, PartitionTable, TableKind


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes and their place on the disk."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)


def encode_outside(
    old: DiskLayout, areas: dict[str, bytes], table: PartitionTable, disk_size: int
) -> tuple[Stretch, ...]:
    """What to write of a disk with ``table`` besides its volumes, sector 0 last.

    ``areas`` are the stored ones by their names: the gap before the first
    partition is copied as far as it is still a gap, and boot code is kept.
    """
    head = next(
        (areas[area.name] for area in old.areas if area.kind is AreaKind.HEAD),
        bytes(table.sector_size),
    )
    match table.kind:
        case TableKind.GPT:
            stretches = _gpt(old, head, table, disk_size)
        case TableKind.MBR:
            stretches = _mbr(old, areas, head, table, disk_size)
        case TableKind.NONE:
            return ()
    return tuple(stretches)


def _gpt(
    old: DiskLayout, head: bytes, table: PartitionTable, disk_size: int
) -> tuple[Stretch, ...]:
    image = encode_gpt(table, disk_size)
    sector = table.sector_size
    gap = _gap(old, head, table)
    record = encode_protective_record(head, disk_size, sector)
    start = sector + len(image.primary)
    return (
        Stretch(image.backup_start, image.backup),
        Stretch(start, gap[start:]),
        Stretch(image.primary_start, image.primary),
        Stretch(0, record),
    )


def _mbr(
    old: DiskLayout,
    areas: dict[str, bytes],
    head: bytes,
    table: PartitionTable,
    disk_size: int,
) -> tuple[Stretch, ...]:
    sector = table.sector_size
    gap = _gap(old, head, table)
    stored = [areas[area.name] for area in old.areas if area.kind is AreaKind.LINK]
    links = [raw[:sector].ljust(sector, b"\0") for raw in stored]
    chain = encode_chain(links, table)
    places = [Stretch(link.start, raw) for link, raw in zip(table.links, chain, strict=False)]
    boot = head[:sector] if sector == old.table.sector_size else head[:512]
    record = encode_boot_record(boot.ljust(sector, b"\0"), table)
    if disk_size == old.size:
        # Dynamic disks and old RAIDs are known by the disk's end, and only by that.
        places = [
            Stretch(area.extent.start, areas[area.name])
            for area in old.areas
            if area.kind is AreaKind.TAIL
        ] + places
    return (*reversed(places), Stretch(sector, gap[sector:]), Stretch(0, record))


def _gap(old: DiskLayout, head: bytes, table: PartitionTable) -> bytes:
    """The stored head, without the old table, as far as nothing else lies there now."""
    firsts = [partition.start for partition in table.partitions]
    firsts += [link.start for link in table.links]
    kept = bytearray(head[: min([len(head), *firsts])])
    primary = old.table.primary
    if table.kind is TableKind.GPT:
        # Where no whole copy was found, the usual place is taken for the old table's.
        size = old.table.sector_size
        extent = primary or Extent(size, size + 16384)
        last = min(extent.end, len(kept))
        kept[extent.start : last] = bytes(max(0, last - extent.start))
    return bytes(kept)
