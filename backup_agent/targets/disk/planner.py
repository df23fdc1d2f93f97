"""From a stored disk, a target and a person's wishes to a frozen plan. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backup_agent.errors import NoSuchPointError, TargetError, TargetTooSmallError
from backup_agent.filesystems.boot_sector import Patch, hidden_sector_patches
from backup_agent.filesystems.gpt_encode import usable_extent
from backup_agent.filesystems.mbr_encode import MOST_SECTORS
from backup_agent.model.disk import (
    AreaKind,
    Disk,
    DiskLayout,
    Extent,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.targets.disk.arrange import Arrangement, Block, arrange
from backup_agent.targets.disk.facts import RESIZABLE, VolumeFacts
from backup_agent.targets.disk.identity import with_new_ids
from backup_agent.targets.disk.notes import Changes, notes_on
from backup_agent.targets.disk.plan import (
    Action,
    CreateImage,
    Discard,
    DiskPicture,
    FinishVolumes,
    LeaveOut,
    Placed,
    ResizeVolume,
    RestorePlan,
    Wipe,
    WriteArea,
    WriteResized,
    WriteTable,
    WriteVolume,
    name_of,
)

START_BYTES = 1 << 20
"""How much of a volume, and of a disk's both ends, is wiped first and written last."""

_RECOVERY_TYPES = {"DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", "27"}
# Neither Windows nor a boot loader remembers where these lie on a disk with an MBR.
_MOVABLE_ON_MBR = {
    FileSystemKind.EXT2,
    FileSystemKind.EXT3,
    FileSystemKind.EXT4,
    FileSystemKind.SWAP,
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for beyond the mapping. ``shrink`` is a volume's number."""

    grow: bool = False
    shrink: int | None = None
    new_ids: bool = False
    discard: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What goes where. ``target_start`` is where a target partition begins on its disk.

    ``creates``: the target is an image file that is to be made, or made anew.
    """

    source: str
    content: str
    layout: DiskLayout
    facts: Mapping[int, VolumeFacts]
    target: Disk
    creates: bool = False
    target_start: int | None = None

    @property
    def sector_size(self) -> int:
        """The target's; an image file takes the sectors of the stored disk."""
        return self.target.sector_size or self.layout.table.sector_size


def plan_disk(task: Task, wishes: Wishes) -> RestorePlan:
    """The plan for a whole disk.

    Raises :class:`TargetTooSmallError`, and :class:`TargetError` for a target
    whose sectors a file system could not live with.
    """
    if task.layout.table.kind is TableKind.NONE:
        return plan_volume(task, 0, wishes)
    _refuse_unknown_volume(task, wishes.shrink)
    for facts in task.facts.values():
        _refuse_larger_sectors(facts, task)
    old = task.layout.table
    _refuse_unaligned_chain(old, task)
    usable = _usable(old, task, keeps_table=not wishes.new_ids)
    blocks = [block for p in old.partitions if (block := _block(p, task)) is not None]
    arrangement = arrange(
        blocks, usable, sector_size=task.sector_size, grow=wishes.grow, shrink=wishes.shrink
    )
    if arrangement is None:
        raise _too_small(task, blocks, usable)
    table = _new_table(old, arrangement, usable, task)
    if wishes.new_ids:
        table = with_new_ids(table, f"{task.content}/{task.target.identity}")
    places = {p.number: p.extent for p in table.partitions if p.holds_volume}
    writes = [_write(task, number, places) for number in sorted(task.facts)]
    return _plan(
        task,
        wishes,
        table_kind=old.kind,
        places=places,
        wipes=_ends(task.target.size),
        writes=writes,
        last=_outside(task.layout, table, task),
        blocked_by=arrangement.grow_blocked_by,
    )


def plan_volume(task: Task, number: int, wishes: Wishes) -> RestorePlan:
    """The plan for one volume onto a partition, a whole disk or an image file of its own.

    Raises as :func:`plan_disk` does, and :class:`NoSuchPointError` for a volume
    that the stored disk does not have.
    """
    _refuse_unknown_volume(task, number)
    facts = task.facts[number]
    _refuse_larger_sectors(facts, task)
    size = volume_size = facts.volume.size
    room = task.target.size // task.sector_size * task.sector_size
    may_shrink = wishes.shrink in (None, number)
    if room < volume_size:
        size = room
        if room < facts.smallest or not may_shrink:
            block = Block(number, 0, volume_size, facts.smallest if may_shrink else volume_size)
            raise _too_small(task, [block], Extent(0, room))
    elif wishes.grow and facts.kind in RESIZABLE:
        size = room
    start = task.target_start
    patches = _patches(facts, Extent(facts.volume.start if start is None else start, size))
    place = Extent(0, size)
    write: Action = (
        WriteVolume(facts.volume, place, patches)
        if size == volume_size
        else WriteResized(facts.volume, place, patches)
    )
    return _plan(
        task,
        wishes,
        table_kind=TableKind.NONE,
        places={number: place},
        wipes=_ends(task.target.size),
        writes=[write],
        last=[],
    )


def _plan(
    task: Task,
    wishes: Wishes,
    *,
    table_kind: TableKind,
    places: Mapping[int, Extent],
    wipes: Sequence[Extent],
    writes: Sequence[Action],
    last: Sequence[Action],
    blocked_by: int | None = None,
) -> RestorePlan:
    actions: list[Action] = [CreateImage(task.target.size)] if task.creates else []
    resized = [write for write in writes if isinstance(write, WriteResized)]
    actions += [ResizeVolume(write.volume, write.place.size) for write in resized]
    if wishes.discard and not task.creates:
        actions.append(Discard(Extent(0, task.target.size)))
    starts = [Extent(place.start, min(START_BYTES, place.size)) for place in places.values()]
    actions += [Wipe((*wipes, *starts)), *writes, FinishVolumes(), *last]
    facts = [task.facts[number] for number in sorted(places)]
    changes = Changes(
        layout=task.layout,
        facts=tuple(task.facts.values()),
        places=places,
        sector_size=task.sector_size,
        whole_disk=table_kind is not TableKind.NONE,
        new_ids=wishes.new_ids,
        wanted_growth=wishes.grow,
        blocked_by=blocked_by,
        target_size=task.target.size,
    )
    return RestorePlan(
        source=task.source,
        content=task.content,
        target=task.target,
        sector_size=task.sector_size,
        before=_picture_before(task),
        after=DiskPicture(
            task.target.size,
            task.sector_size,
            table_kind,
            _placed([(one.volume, places[one.volume.number]) for one in facts], task.layout.table),
        ),
        actions=tuple(actions),
        notes=notes_on(changes),
        stored_bytes=sum(one.stored_bytes for one in facts),
    )


# Places


def _usable(table: PartitionTable, task: Task, *, keeps_table: bool) -> Extent:
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


def _block(partition: Partition, task: Task) -> Block | None:
    """A partition as the arrangement sees it, together with the link that leads to it.

    An extended partition is what its logical ones make of it; without any, it is a block.
    """
    table = task.layout.table
    if partition.role is PartitionRole.EXTENDED:
        if any(p.role is PartitionRole.LOGICAL for p in table.partitions):
            return None
        sector = task.sector_size
        return Block(partition.number, partition.start, sector, sector, movable=False)
    front = _front(partition, table)
    facts = task.facts[partition.number]
    is_mbr = table.kind is TableKind.MBR
    is_recovery = partition.type.upper() in _RECOVERY_TYPES
    movable = not is_mbr or (
        facts.kind in _MOVABLE_ON_MBR and partition.role is PartitionRole.PRIMARY
    )
    return Block(
        number=partition.number,
        start=partition.start - front,
        size=partition.size + front,
        smallest=(partition.size if is_recovery else facts.smallest) + front,
        movable=movable,
        growable=facts.kind in RESIZABLE and not is_recovery,
        expendable=is_recovery and not movable,
    )


def _front(partition: Partition, table: PartitionTable) -> int:
    """Bytes from the link that leads to a logical partition to the partition itself."""
    if partition.role is not PartitionRole.LOGICAL:
        return 0
    logicals = [p.start for p in table.partitions if p.role is PartitionRole.LOGICAL]
    if partition.start == min(logicals):
        extended = next(p for p in table.partitions if p.role is PartitionRole.EXTENDED)
        return partition.start - extended.start
    before = [link.start for link in table.links if link.start < partition.start]
    return partition.start - max(before)


def _new_table(
    old: PartitionTable, arrangement: Arrangement, usable: Extent, task: Task
) -> PartitionTable:
    partitions: list[Partition] = []
    for partition in old.partitions:
        place = arrangement.places.get(partition.number)
        if partition.role is PartitionRole.EXTENDED:
            if _keeps_extended(old, arrangement):
                partitions.append(_extended(partition, old, arrangement, usable, task))
        elif place is not None:
            front = _front(partition, old)
            moved = replace(partition, start=place.start + front, size=place.size - front)
            partitions.append(moved)
    extended = any(p.role is PartitionRole.EXTENDED for p in partitions)
    links = old.links if extended else ()
    return replace(
        old,
        sector_size=task.sector_size,
        partitions=tuple(partitions),
        links=tuple(Extent(link.start, task.sector_size) for link in links),
        primary=None,
        backup=None,
        flaws=(),
    )


def _keeps_extended(old: PartitionTable, arrangement: Arrangement) -> bool:
    """An extended partition goes when all that was in it is left out."""
    logicals = [p.number for p in old.partitions if p.role is PartitionRole.LOGICAL]
    return not logicals or any(number in arrangement.places for number in logicals)


def _extended(
    partition: Partition,
    old: PartitionTable,
    arrangement: Arrangement,
    usable: Extent,
    task: Task,
) -> Partition:
    """The extended partition: as it was, as far as what lies behind it lets it be."""
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
    least = max([partition.start + task.sector_size, *inside])
    most = min(partition.extent.end, limit)
    end = max(least, most - most % task.sector_size)
    return replace(partition, size=end - partition.start)


# Actions


def _write(task: Task, number: int, places: Mapping[int, Extent]) -> Action:
    facts = task.facts[number]
    place = places.get(number)
    if place is None:
        return LeaveOut(facts.volume)
    # A partition may have been rounded up to the target's sectors; its volume was not.
    size = (
        facts.volume.size if abs(place.size - facts.volume.size) < task.sector_size else place.size
    )
    patches = _patches(facts, Extent(place.start, size))
    if size != facts.volume.size:
        return WriteResized(facts.volume, place, patches)
    return WriteVolume(facts.volume, Extent(place.start, size), patches)


def _patches(facts: VolumeFacts, place: Extent) -> tuple[Patch, ...]:
    if place.start == facts.volume.start:
        return ()
    return hidden_sector_patches(facts.kind, facts.boot, place, copy_is_there=facts.has_boot_copy)


def _outside(layout: DiskLayout, table: PartitionTable, task: Task) -> list[Action]:
    """The table: byte for byte if it is the same on the same disk, else made anew."""
    old = layout.table
    same = replace(table, primary=old.primary, backup=old.backup, flaws=old.flaws) == old
    if not same or task.target.size != layout.size:
        return [WriteTable(table)]
    order = {AreaKind.TAIL: 0, AreaKind.LINK: 1, AreaKind.HEAD: 2}
    areas = sorted(layout.areas, key=lambda area: order[area.kind])
    return [WriteArea(area) for area in areas]


def _ends(size: int) -> list[Extent]:
    """Both ends of the target, where partition tables and the marks of RAIDs stand."""
    length = min(START_BYTES, size)
    return [Extent(0, length), Extent(size - length, length)]


# Pictures


def _picture_before(task: Task) -> DiskPicture:
    table = task.layout.table
    volumes = [(facts.volume, facts.volume.extent) for facts in task.facts.values()]
    return DiskPicture(task.layout.size, table.sector_size, table.kind, _placed(volumes, table))


def _placed(volumes: Sequence[tuple[Volume, Extent]], table: PartitionTable) -> tuple[Placed, ...]:
    names = {partition.number: partition.name for partition in table.partitions}

    def words(volume: Volume) -> str:
        label = volume.file_system.label or names.get(volume.number, "")
        return " ".join(filter(None, (volume.file_system.kind.value, label)))

    placed = [Placed(volume.number, extent, words(volume)) for volume, extent in volumes]
    return tuple(sorted(placed, key=lambda one: one.extent))


# Refusals


def _refuse_unknown_volume(task: Task, number: int | None) -> None:
    if number is not None and number not in task.facts:
        numbers = ", ".join(str(known) for known in sorted(task.facts)) or "none"
        raise NoSuchPointError(
            f"{task.source} has no volume {number}.", hint=f"It has the volumes {numbers}."
        )


def _refuse_larger_sectors(facts: VolumeFacts, task: Task) -> None:
    size = facts.sector_size
    # A volume that worked in such sectors before (or an image that never had any) goes on to.
    if size is not None and max(size, task.layout.table.sector_size) < task.sector_size:
        raise TargetError(
            f"{name_of(facts.volume)} was made for sectors of {size} bytes and cannot work on"
            f" {task.target.path}, whose sectors have {task.sector_size}: the file system counts"
            " in its sectors, and the drive takes no smaller ones.",
            hint="Use a drive with sectors of 512 bytes (512n or 512e), or restore the files.",
        )


def _refuse_unaligned_chain(table: PartitionTable, task: Task) -> None:
    """Logical partitions and their links are not moved, so they must suit the sectors as is."""
    places = [link.start for link in table.links]
    places += [p.start for p in table.partitions if p.role is not PartitionRole.PRIMARY]
    if any(place % task.sector_size for place in places):
        raise TargetError(
            f"The logical partitions of {task.source} do not start at sectors of"
            f" {task.sector_size} bytes, as {task.target.path} has them, and are not moved.",
            hint="Restore single volumes (--map disk0/volume5=…) to partitions made for them.",
        )


def _too_small(task: Task, blocks: Sequence[Block], usable: Extent) -> TargetTooSmallError:
    able = [block for block in blocks if block.smallest < block.size]
    # The parts of two shrinkable volumes do not add up: one is shrunk.
    saved = max((block.size - block.smallest for block in able), default=0)
    needed = sum(block.size for block in blocks) - saved
    fixed = sorted(
        f"volume {number} ({facts.kind})"
        for number, facts in task.facts.items()
        if facts.kind not in RESIZABLE
    )
    reason = f" Not shrunk are {', '.join(fixed)}." if fixed else ""
    return TargetTooSmallError(
        f"{task.target.path} has room for {usable.size} bytes; {task.source} needs about"
        f" {needed}, even with one volume shrunk as far as its used data allow.{reason}",
        hint="Use a larger target, or restore single volumes (--map disk0/volume1=…).",
    )
