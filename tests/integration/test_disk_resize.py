"""Restoring to larger and smaller images: file systems and files are right afterwards."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from backup_agent.errors import TargetTooSmallError
from backup_agent.model.disk import PartitionRole, PartitionTable
from backup_agent.targets.disk.task import Wishes
from tests.helpers.disk_checks import Examined, examine, require_clean
from tests.helpers.disk_images import MIB, place, run_tool, sfdisk_table
from tests.helpers.restored_disk import plan_disk_restore, restore_disk
from tests.helpers.small_computer import SmallComputer, make_small_computer
from tests.helpers.volumes import make_file_system

COMPUTERS = ("windows-gpt", "windows-mbr", "linux-gpt", "linux-mbr")
GROWS = {"windows-gpt": 3, "windows-mbr": 2, "linux-gpt": 2, "linux-mbr": 6}


@pytest.fixture(scope="module")
def computers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SmallComputer]:
    return {case: make_small_computer(tmp_path_factory.mktemp(case), case) for case in COMPUTERS}


def blank(path: Path, size: int) -> Path:
    """An image file whose size was chosen and nothing else."""
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def ids(table: PartitionTable) -> list[tuple[object, ...]]:
    """All of a table but places."""
    return [
        (table.id, p.number, p.type, p.role, p.guid, p.name, p.attributes) for p in table.partitions
    ]


def hidden_sectors(image: Path, start: int) -> int:
    with open(image, "rb") as file:
        file.seek(start + 28)
        (sectors,) = struct.unpack("<I", file.read(4))
    return int(sectors)


def require_boot_code(image: Path) -> None:
    with open(image, "rb") as file:
        assert file.read(9) == b"boot code"
        file.seek(MIB // 2)
        assert file.read(31) == b"second stage of the boot loader"


@pytest.mark.parametrize("case", COMPUTERS)
@pytest.mark.parametrize("grow", [False, True])
def test_disk_comes_back_on_a_larger_image(
    tmp_path: Path, computers: dict[str, SmallComputer], case: str, grow: bool
) -> None:
    computer = computers[case]
    before = hashlib.sha256(computer.image.read_bytes()).digest()
    target = blank(tmp_path / "target.img", 160 * MIB)
    restore_disk(computer.stored(), target, wishes=Wishes(grow=grow))
    found = require_clean(target, tmp_path)
    computer.require_files(target, tmp_path)
    require_boot_code(target)
    old = examine(computer.image)
    assert ids(found.layout.table) == ids(old.layout.table)
    number = GROWS[case]
    grown = found.volumes[number].size - old.volumes[number].size
    # The MBR's recovery partition stays, so that only the gap before it can be had.
    expected = {"windows-gpt": 65, "windows-mbr": 1, "linux-gpt": 70, "linux-mbr": 67}[case]
    assert grown == (expected * MIB if grow else 0)
    assert hashlib.sha256(computer.image.read_bytes()).digest() == before


@pytest.mark.parametrize("case", ["windows-gpt", "linux-gpt", "linux-mbr"])
def test_disk_comes_back_on_a_smaller_image(
    tmp_path: Path, computers: dict[str, SmallComputer], case: str
) -> None:
    computer = computers[case]
    target = blank(tmp_path / "target.img", 64 * MIB)
    restore_disk(computer.stored(), target)
    found = require_clean(target, tmp_path)
    computer.require_files(target, tmp_path)
    require_boot_code(target)
    old = examine(computer.image)
    assert ids(found.layout.table) == ids(old.layout.table)
    assert 0 < found.volumes[GROWS[case]].size < old.volumes[GROWS[case]].size - 20 * MIB
    assert target.stat().st_blocks * 512 < 40 * MIB
    assert [path.name for path in tmp_path.iterdir() if "scratch" in path.name] == []


def test_recovery_partition_behind_a_grown_or_shrunk_one_knows_its_new_start(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    for size, wishes in ((64 * MIB, Wishes()), (160 * MIB, Wishes(grow=True))):
        target = blank(tmp_path / f"{size}.img", size)
        plan = restore_disk(computers["windows-gpt"].stored(), target, wishes=wishes)
        recovery = examine(target).volumes[4]
        assert recovery.start % MIB == 0
        assert recovery.start != 82 * MIB
        assert hidden_sectors(target, recovery.start) == recovery.start // 512
        last_sector = recovery.extent.end - 512
        assert hidden_sectors(target, last_sector) == recovery.start // 512
        assert any("Other start" in note for note in plan.notes)


@pytest.mark.parametrize("size", [64 * MIB, 160 * MIB], ids=["smaller", "larger"])
def test_swap_in_an_extended_partition_moves_with_the_end_of_the_disk(
    tmp_path: Path, size: int
) -> None:
    computer = make_small_computer(tmp_path, "linux-mbr-swap")
    place(
        computer.image,
        83 * MIB,
        make_file_system(tmp_path / "swap", 12 * MIB, "mkswap").read_bytes(),
    )
    target = blank(tmp_path / "target.img", size)
    restore_disk(computer.stored(), target, wishes=Wishes(grow=True))
    found = require_clean(target, tmp_path)
    computer.require_files(target, tmp_path)
    old = examine(computer.image)
    assert ids(found.layout.table) == ids(old.layout.table)
    assert (found.volumes[1].size > old.volumes[1].size) == (size > 96 * MIB)
    assert found.volumes[5].file_system == old.volumes[5].file_system
    assert 0 <= size - found.volumes[5].extent.end <= 2 * MIB
    assert sfdisk_table(target)["partitions"][2]["start"] * 512 == found.volumes[5].start


def test_recovery_partition_of_an_mbr_disk_is_left_out_of_a_smaller_one_and_said_so(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    computer = computers["windows-mbr"]
    target = blank(tmp_path / "target.img", 64 * MIB)
    plan = restore_disk(computer.stored(), target)
    assert any("LEFT OUT" in note for note in plan.notes)
    found = require_clean(target, tmp_path)
    assert sorted(found.volumes) == [1, 2]
    assert found.volumes[2].start == 9 * MIB
    computer.require_files(target, tmp_path, without=3)


def test_volume_that_is_named_is_the_one_that_is_shrunk(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    computer = computers["linux-mbr"]
    target = blank(tmp_path / "target.img", 94 * MIB)
    with pytest.raises(TargetTooSmallError):
        plan_disk_restore(
            computer.stored(), blank(tmp_path / "small.img", 90 * MIB), wishes=Wishes(shrink=1)
        )
    found = _restored(computer, target, Wishes(shrink=6), tmp_path)
    assert found.volumes[1].size == 16 * MIB


def test_extended_partition_ends_where_its_last_logical_one_does(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    found = _restored(
        computers["linux-mbr"], blank(tmp_path / "target.img", 64 * MIB), Wishes(), tmp_path
    )
    (extended,) = [p for p in found.layout.table.partitions if p.role is PartitionRole.EXTENDED]
    assert extended.extent.end == found.volumes[6].extent.end <= 64 * MIB


def test_new_guids_differ_from_the_old_and_are_the_same_each_time(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    computer = computers["windows-gpt"]
    old = examine(computer.image).layout.table
    target = tmp_path / "target.img"
    plans = [
        plan_disk_restore(computer.stored(), target, wishes=Wishes(new_ids=True)) for _ in range(2)
    ]
    assert plans[0] == plans[1]
    assert any("BCD" in note for note in plans[0].notes)
    found = _restored(computer, target, Wishes(new_ids=True), tmp_path)
    new = found.layout.table
    assert new.id != old.id
    assert len({p.guid for p in (*old.partitions, *new.partitions)}) == 8
    assert [p.extent for p in new.partitions] == [p.extent for p in old.partitions]


def test_new_mbr_signature_leaves_everything_else_as_it_was(tmp_path: Path) -> None:
    computer = make_small_computer(tmp_path, "linux-mbr")
    place(computer.image, 96 * MIB - 512, b"RAID superblock")
    target = tmp_path / "target.img"
    restore_disk(computer.stored(), target, wishes=Wishes(new_ids=True))
    old, new = computer.image.read_bytes(), target.read_bytes()
    assert old[440:444] != new[440:444] != bytes(4)
    assert old[:440] + old[444:] == new[:440] + new[444:]
    run_tool("sfdisk", "--verify", target)


@pytest.mark.parametrize(
    ("case", "volume", "size"),
    [
        ("windows-gpt", 3, 40),
        ("windows-gpt", 3, 72),
        ("windows-gpt", 3, 100),
        ("linux-gpt", 2, 40),
        ("linux-gpt", 2, 120),
    ],
)
def test_single_volume_comes_back_in_an_image_of_any_size(
    tmp_path: Path, computers: dict[str, SmallComputer], case: str, volume: int, size: int
) -> None:
    computer = computers[case]
    target = blank(tmp_path / "volume.img", size * MIB)
    restore_disk(computer.stored(), target, volume=volume, wishes=Wishes(grow=True))
    found = require_clean(target, tmp_path)
    assert found.volumes[0].size == size * MIB
    alone = SmallComputer(computer.image, {0: computer.hashes[volume]})
    alone.require_files(target, tmp_path)


def test_target_that_even_shrinking_does_not_help_is_refused_with_what_is_needed(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    target = blank(tmp_path / "target.img", 24 * MIB)
    with pytest.raises(TargetTooSmallError, match=r"needs about \d+") as caught:
        plan_disk_restore(computers["windows-gpt"].stored(), target)
    assert "Not shrunk are volume 1 (fat" in caught.value.message


def _restored(computer: SmallComputer, target: Path, wishes: Wishes, scratch: Path) -> Examined:
    restore_disk(computer.stored(), target, wishes=wishes)
    found = require_clean(target, scratch)
    computer.require_files(target, scratch)
    return found


def test_volume_that_cannot_be_resized_after_all_leaves_the_target_as_it_was(
    tmp_path: Path, computers: dict[str, SmallComputer]
) -> None:
    broken = make_small_computer(tmp_path, "linux-gpt")
    # A superblock that claims another size than the volume has: e2fsck stops and asks.
    place(broken.image, 9 * MIB + 1024 + 4, b"\x77\x77")
    target = blank(tmp_path / "target.img", 64 * MIB)
    with pytest.raises(TargetTooSmallError, match="cannot be brought to"):
        restore_disk(broken.stored(), target)
    assert target.stat().st_blocks == 0
    assert [path.name for path in tmp_path.iterdir() if "scratch" in path.name] == []
