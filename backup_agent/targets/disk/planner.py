"""From a stored disk, a target and a person's wishes to a frozen plan. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backup_agent.errors import NoSuchPointError, TargetError, TargetTooSmallError
from backup_agent.filesystems.boot_sector import Patch, hidden_sector_patches
from backup_agent.model.disk import (
    AreaKind,
    DiskLayout,
    Extent,
    PartitionRole,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.targets.disk.arrange import Block, arrange, smallest_room
from backup_agent.targets.disk.chain import refuse_unaligned_chain
from backup_agent.targets.disk.facts import EXTS, VolumeFacts
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
from backup_agent.targets.disk.tables import block_of, can_be_mended, new_table, usable_for
from backup_agent.targets.disk.task import Task, Wishes

START_BYTES = 1 << 20
"""How much of a volume, and of a disk's both ends, is wiped first and written last."""


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
    refuse_unaligned_chain(old, task)
    usable = usable_for(old, task, keeps_table=not wishes.new_ids)
    blocks = [block for p in old.partitions if (block := block_of(p, task)) is not None]
    arrangement = arrange(
        blocks, usable, sector_size=task.sector_size, grow=wishes.grow, shrink=wishes.shrink
    )
    if arrangement is None:
        raise _too_small(task, blocks, usable)
    table = new_table(old, arrangement, usable, task)
    if wishes.new_ids:
        table = with_new_ids(table, f"{task.content}/{task.target.identity}")
    places = {p.number: p.extent for p in table.partitions if p.holds_volume}
    writes = [_write(task, number, places) for number in sorted(task.facts)]
    return _plan(
        task,
        wishes,
        table=table,
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
    _refuse_unknown_shrink(task.layout, wishes.shrink)
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
    elif wishes.grow and facts.is_resizable:
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
        table=None,
        places={number: place},
        wipes=_ends(task.target.size),
        writes=[write],
        last=[],
    )


def _plan(
    task: Task,
    wishes: Wishes,
    *,
    table: PartitionTable | None,
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
    makes_table = any(isinstance(action, WriteTable) for action in last)
    changes = Changes(
        layout=task.layout,
        facts=tuple(task.facts.values()),
        places=places,
        sector_size=task.sector_size,
        whole_disk=table is not None,
        new_ids=wishes.new_ids,
        wanted_growth=wishes.grow,
        blocked_by=blocked_by,
        target_size=task.target.size,
        makes_table=makes_table,
        loses_hybrid_record=task.is_hybrid and makes_table,
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
            table.kind if table else TableKind.NONE,
            _placed([(one.volume, places[one.volume.number]) for one in facts], task.layout.table),
            _extended(table),
        ),
        actions=tuple(actions),
        notes=notes_on(changes),
        stored_bytes=sum(one.stored_bytes for one in facts),
        room=sum(one.room for one in facts),
    )


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
    """The table: byte for byte if it is the same on the same disk and was whole, else made anew."""
    old = layout.table
    same = replace(table, primary=old.primary, backup=old.backup, flaws=old.flaws) == old
    if not same or task.target.size != layout.size or can_be_mended(old, task):
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
    whole_disk = len(volumes) == sum(p.holds_volume for p in table.partitions)
    return DiskPicture(
        task.layout.size,
        table.sector_size,
        table.kind,
        _placed(volumes, table),
        _extended(table) if whole_disk else None,
    )


def _placed(volumes: Sequence[tuple[Volume, Extent]], table: PartitionTable) -> tuple[Placed, ...]:
    names = {partition.number: partition.name for partition in table.partitions}

    def words(volume: Volume) -> str:
        label = volume.file_system.label or names.get(volume.number, "")
        return " ".join(filter(None, (volume.file_system.kind.value, label)))

    placed = [Placed(volume.number, extent, words(volume)) for volume, extent in volumes]
    return tuple(sorted(placed, key=lambda one: one.extent))


def _extended(table: PartitionTable | None) -> Placed | None:
    for partition in table.partitions if table else ():
        if partition.role is PartitionRole.EXTENDED:
            return Placed(partition.number, partition.extent, "extended")
    return None


# Refusals


def _refuse_unknown_volume(task: Task, number: int | None) -> None:
    if number is not None and number not in task.facts:
        numbers = ", ".join(str(known) for known in sorted(task.facts)) or "none"
        raise NoSuchPointError(
            f"{task.source} has no volume {number}.", hint=f"It has the volumes {numbers}."
        )


def _refuse_unknown_shrink(layout: DiskLayout, number: int | None) -> None:
    """Another volume of the disk may be meant for another map; one that it lacks, for none."""
    known = {p.number for p in layout.table.partitions if p.holds_volume}
    if number is not None and number not in (known or {0}):
        raise NoSuchPointError(
            f"The disk has no volume {number} to shrink.",
            hint=f"It has the volumes {', '.join(map(str, sorted(known or {0})))}.",
        )


def _refuse_larger_sectors(facts: VolumeFacts, task: Task) -> None:
    table = task.layout.table
    # What is not known of a partition table, too, counts in the sectors of its disk.
    unknown = facts.volume.number in table.undivided
    size = table.sector_size if unknown else facts.largest_sector
    # A volume that worked in such sectors before (or an image that never had any) goes on to.
    if size is not None and max(size, table.sector_size) < task.sector_size:
        made_for = (
            f"has blocks of {size} bytes"
            if facts.kind in EXTS
            else f"was made for sectors of {size} bytes"
        )
        raise TargetError(
            f"{name_of(facts.volume)} {made_for} and cannot work on {task.target.path}, whose"
            f" sectors have {task.sector_size}: the file system counts in them, and the drive"
            " takes no smaller ones.",
            hint="Use a drive with sectors of 512 bytes (512n or 512e), or restore the files.",
        )


def _too_small(task: Task, blocks: Sequence[Block], usable: Extent) -> TargetError:
    needed = smallest_room(blocks, usable, task.sector_size)
    if needed is None:
        return TargetError(
            f"Partitions of {task.source} that may not be moved (Windows finds them by their"
            f" start) do not begin at sectors of {task.sector_size} bytes, as"
            f" {task.target.path} has them.",
            hint="Use a drive with sectors of 512 bytes (512n or 512e), or restore single volumes.",
        )
    fixed = [f"volume {n} ({f.kind})" for n, f in task.facts.items() if not f.is_resizable]
    stuck = [f"volume {b.number}" for b in blocks if not b.movable and b.end > usable.end]
    reasons = [f"Not shrunk are {', '.join(fixed)}."] if fixed else []
    if stuck:
        reasons.append(
            "Not moved, because on a disk with an MBR they may be found by their start, are"
            f" {', '.join(stuck)}."
        )
    return TargetTooSmallError(
        f"{task.target.path} has room for {usable.size} bytes; {task.source} needs about"
        f" {needed}, even with one volume shrunk as far as its used data allow."
        + "".join(f" {reason}" for reason in reasons),
        hint="Use a larger target, or restore single volumes (--map disk0/volume1=…).",
    )
