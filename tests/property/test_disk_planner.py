"""Whatever the layout and the target: partitions never overlap, leave the disk or change order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import TargetError, TargetTooSmallError
from backup_agent.filesystems.gpt_encode import usable_extent
from backup_agent.model.disk import (
    Disk,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
    Volume,
    contradiction,
)
from backup_agent.targets.disk.arrange import ALIGNMENT, Block, arrange
from backup_agent.targets.disk.chain import front_of
from backup_agent.targets.disk.facts import VolumeFacts
from backup_agent.targets.disk.plan import RestorePlan, WriteTable
from backup_agent.targets.disk.planner import plan_disk
from backup_agent.targets.disk.task import Task, Wishes

MIB = 1 << 20
SECTOR = 512
KINDS = (
    FileSystemKind.NTFS,
    FileSystemKind.EXT4,
    FileSystemKind.FAT32,
    FileSystemKind.SWAP,
    FileSystemKind.UNKNOWN,
)
RECOVERY = {TableKind.GPT: "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC", TableKind.MBR: "27"}
PLAIN = {TableKind.GPT: "0FC63DAF-8483-4772-8E79-3D69D8477DE4", TableKind.MBR: "83"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A gap, a partition behind it, and what is in it; sizes in sectors."""

    gap: int
    size: int
    kind: FileSystemKind
    used: float
    is_recovery: bool


PIECES = st.builds(
    Piece,
    gap=st.one_of(st.sampled_from([0, 2048]), st.integers(0, 9000)),
    size=st.integers(64, 60_000),
    kind=st.sampled_from(KINDS),
    used=st.floats(0, 1),
    is_recovery=st.booleans(),
)


def stored_disk(
    kind: TableKind, pieces: list[Piece], logicals: list[Piece]
) -> tuple[DiskLayout, dict[int, VolumeFacts]]:
    """A disk with those partitions; the logical ones behind the rest, in an extended one."""
    partitions: list[Partition] = []
    links: list[Extent] = []
    facts: dict[int, VolumeFacts] = {}
    cursor = 63 * SECTOR

    def add(number: int, piece: Piece, role: PartitionRole) -> int:
        start = cursor + piece.gap * SECTOR
        size = piece.size * SECTOR
        type_ = (RECOVERY if piece.is_recovery else PLAIN)[kind]
        partitions.append(Partition(number, start, size, type_, role, guid=PLAIN[TableKind.GPT]))
        used = int(size * piece.used)
        volume = Volume(number, start, size, FileSystem(piece.kind), used_bytes=used)
        facts[number] = VolumeFacts(volume, b"", used, has_boot_copy=False)
        return start + size

    for number, piece in enumerate(pieces, start=1):
        cursor = add(number, piece, PartitionRole.PRIMARY)
    if logicals:
        start = cursor
        for number, piece in enumerate(logicals, start=5):
            links.append(Extent(cursor, SECTOR))
            cursor += SECTOR
            cursor = add(number, piece, PartitionRole.LOGICAL)
        extended = Partition(len(pieces) + 1, start, cursor - start, "0f", PartitionRole.EXTENDED)
        partitions.insert(len(pieces), extended)
    table = PartitionTable(
        kind, SECTOR, "ID" if kind is TableKind.GPT else "00c0ffee", tuple(partitions),
        links=tuple(links),
    )  # fmt: skip
    return DiskLayout(cursor + 34 * SECTOR, table, ()), facts


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Task, Wishes]:
    kind = draw(st.sampled_from([TableKind.GPT, TableKind.MBR]))
    pieces = draw(st.lists(PIECES, min_size=1, max_size=3 if kind is TableKind.MBR else 6))
    logicals = draw(st.lists(PIECES, max_size=3)) if kind is TableKind.MBR else []
    layout, facts = stored_disk(kind, pieces, logicals)
    size = draw(
        st.one_of(
            st.just(layout.size),
            st.integers(2048, 2 * layout.size // SECTOR + 4096).map(lambda n: n * SECTOR),
        )
    )
    sector_size = draw(st.sampled_from([512, 512, 4096]))
    size -= size % sector_size
    target = Disk("/dev/target", "target", max(size, MIB), sector_size)
    wishes = Wishes(
        grow=draw(st.booleans()),
        shrink=draw(st.sampled_from([None, *facts])),
        new_ids=False,
    )
    return Task("disk0", "point/0", layout, facts, target), wishes


def new_table(plan: RestorePlan, layout: DiskLayout) -> PartitionTable:
    """What the plan writes; without a new table, the old one."""
    return next((a.table for a in plan.actions if isinstance(a, WriteTable)), layout.table)


@given(tasks())
def test_planned_partitions_never_overlap_and_stay_inside(drawn: tuple[Task, Wishes]) -> None:
    task, wishes = drawn
    try:
        plan = plan_disk(task, wishes)
    except TargetError:
        return
    table = new_table(plan, task.layout)
    assert contradiction(table, task.target.size) == ""
    old = {p.number: p for p in task.layout.table.partitions}
    if table is not task.layout.table and table.kind is TableKind.GPT:
        usable = usable_extent(table, task.target.size)
        for partition in table.partitions:
            assert usable.start <= partition.start
            assert partition.extent.end <= usable.end
    for partition in table.partitions:
        before = old[partition.number]
        assert partition.start % task.sector_size == partition.size % task.sector_size == 0
        if partition.start != before.start and partition.role is not PartitionRole.LOGICAL:
            assert partition.start % ALIGNMENT == 0
        facts = task.facts.get(partition.number)
        if facts:
            assert partition.size >= min(facts.smallest, before.size)
    by_place = sorted(table.partitions, key=lambda p: (p.start, -p.size))
    order = [p.number for p in by_place]
    assert order == [
        p.number
        for p in sorted(old.values(), key=lambda p: (p.start, -p.size))
        if p.number in order
    ]


@given(tasks())
def test_no_windows_partition_of_an_mbr_disk_changes_its_start(
    drawn: tuple[Task, Wishes],
) -> None:
    task, wishes = drawn
    try:
        plan = plan_disk(task, wishes)
    except TargetError:
        return
    if task.layout.table.kind is not TableKind.MBR:
        return
    old = {p.number: p.start for p in task.layout.table.partitions}
    for partition in new_table(plan, task.layout).partitions:
        facts = task.facts.get(partition.number)
        if facts and facts.kind is FileSystemKind.NTFS:
            assert partition.start == old[partition.number]


@given(tasks())
def test_a_logical_partition_keeps_its_distance_from_its_link(drawn: tuple[Task, Wishes]) -> None:
    task, wishes = drawn
    try:
        plan = plan_disk(task, wishes)
    except TargetError:
        return
    table = new_table(plan, task.layout)
    fronts = {p.number: front_of(p, task.layout.table) for p in task.layout.table.partitions}
    for partition in table.partitions:
        assert front_of(partition, table) == fronts[partition.number]


@given(tasks())
def test_refused_disk_needs_more_than_there_is_and_fits_where_it_is_said_to(
    drawn: tuple[Task, Wishes],
) -> None:
    task, _ = drawn
    try:
        plan_disk(task, Wishes())
    except TargetTooSmallError as exc:
        room, needed = (int(n) for n in re.findall(r"(?:room for|needs about) (\d+)", exc.message))
        assert needed > room
        larger = replace(task.target, size=task.target.size + needed - room)
        larger = replace(larger, size=-(-larger.size // MIB) * MIB)
        plan_disk(replace(task, target=larger), Wishes())
    except TargetError:
        return


@given(tasks())
def test_at_most_one_volume_changes_its_size_and_only_one_that_can(
    drawn: tuple[Task, Wishes],
) -> None:
    task, wishes = drawn
    try:
        plan = plan_disk(task, wishes)
    except TargetError:
        return
    changed = []
    for placed in plan.after.placed:
        before = task.facts[placed.number].volume.size
        if abs(placed.extent.size - before) >= task.sector_size:
            changed.append(placed.number)
    assert len(changed) <= 1
    for number in changed:
        assert task.facts[number].kind in (FileSystemKind.NTFS, FileSystemKind.EXT4)


@given(tasks())
def test_the_same_task_gives_the_same_plan(drawn: tuple[Task, Wishes]) -> None:
    task, wishes = drawn
    try:
        assert plan_disk(task, wishes).fingerprint == plan_disk(task, wishes).fingerprint
    except TargetError:
        return


@given(st.lists(PIECES, min_size=1, max_size=5), st.integers(0, 100))
def test_a_larger_disk_moves_nothing_unless_asked_to_grow(pieces: list[Piece], more: int) -> None:
    layout, facts = stored_disk(TableKind.GPT, pieces, [])
    blocks = [Block(n, f.volume.start, f.volume.size, f.smallest) for n, f in facts.items()]
    usable = Extent(SECTOR, layout.size + more * MIB - SECTOR)
    arrangement = arrange(blocks, usable, sector_size=SECTOR)
    assert arrangement is not None
    assert arrangement.places == {n: f.volume.extent for n, f in facts.items()}
