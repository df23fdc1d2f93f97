"""Partition tables written by us are read alike by our reader and by other people's tools."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.filesystems.boot_sector import Patch, hidden_sector_patches, volume_sector_size
from backup_agent.filesystems.gpt_encode import usable_extent
from backup_agent.filesystems.mbr_encode import encode_boot_record
from backup_agent.filesystems.partitions import read_partition_table
from backup_agent.format.disk_layout import decode_layout, encode_layout
from backup_agent.model.disk import (
    Area,
    AreaKind,
    DiskLayout,
    Extent,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
)
from backup_agent.targets.disk.outside import encode_outside
from tests.helpers.disk_images import MIB, make_disk, make_volume, run_tool, sfdisk_table

GPT_ID = "11111111-2222-3333-4444-555555555555"
GUIDS = [f"AAAAAAAA-BBBB-CCCC-DDDD-{n:012X}" for n in range(200)]
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def gpt(*partitions: Partition, sector_size: int = 512) -> PartitionTable:
    return PartitionTable(TableKind.GPT, sector_size, GPT_ID, partitions)


def linux(number: int, start: int, size: int, **more: object) -> Partition:
    partition = Partition(number, start, size, LINUX, guid=GUIDS[number])
    return replace(partition, **more)  # type: ignore[arg-type] # the caller's fields


def write(path: Path, table: PartitionTable, size: int) -> Path:
    """An image with that table and nothing else."""
    layout = DiskLayout(size, replace(table, primary=None), ())
    with open(path, "wb") as file:
        file.truncate(size)
        areas = {f"ebr-{n}.img": bytes(table.sector_size) for n in range(len(table.links))}
        for stretch in encode_outside(_with_links(layout), areas, table, size):
            file.seek(stretch.start)
            file.write(stretch.data)
    return path


def _with_links(layout: DiskLayout) -> DiskLayout:
    links = layout.table.links
    areas = tuple(Area(f"ebr-{n}.img", AreaKind.LINK, link) for n, link in enumerate(links))
    return replace(layout, areas=areas)


def read(path: Path, sector_size: int) -> PartitionTable:
    with open(path, "rb", buffering=0) as file:
        return read_partition_table(file, disk_size=path.stat().st_size, sector_size=sector_size)


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_gpt_comes_back_as_it_was_written(tmp_path: Path, sector_size: int) -> None:
    table = gpt(
        linux(1, MIB, MIB, name="first", attributes=1 << 63 | 5),
        linux(3, 4 * MIB, 2 * MIB, name="Ünïcode 磁盘 🖴"),
        linux(128, 2 * MIB, sector_size, name="x" * 36),
        sector_size=sector_size,
    )
    found = read(write(tmp_path / "disk.img", table, 8 * MIB), sector_size)
    assert (found.id, found.partitions, found.flaws) == (GPT_ID, table.partitions, ())
    assert found.primary
    assert found.backup
    assert found.backup.end == 8 * MIB


def test_gpt_with_more_than_128_partitions_has_room_for_them(tmp_path: Path) -> None:
    table = gpt(*(linux(n, n * MIB, MIB) for n in range(1, 150)))
    found = read(write(tmp_path / "disk.img", table, 160 * MIB), 512)
    assert found.partitions == table.partitions


@pytest.mark.parametrize("entries", [64, 128, 256])
def test_gpt_keeps_its_number_of_entries(tmp_path: Path, entries: int) -> None:
    path = make_disk(tmp_path / "old.img", 8 * MIB, "label: gpt\nstart=1MiB, size=2MiB\n")
    run_tool("sgdisk", f"--resize-table={entries}", path)
    old = read(path, 512)
    assert old.entries == entries
    layout = decode_layout(encode_layout(DiskLayout(8 * MIB, old, ())))
    larger = write(tmp_path / "larger.img", layout.table, 9 * MIB)
    assert read(larger, 512).entries == entries
    assert "No problems found" in run_tool("sgdisk", "-v", larger)


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_gpt_keeps_the_first_place_that_partitions_may_use(
    tmp_path: Path, sector_size: int
) -> None:
    script = "label: gpt\nfirst-lba: 2048\nstart=2MiB, size=2MiB\n"
    old = read(make_disk(tmp_path / "old.img", 8 * MIB, script), 512)
    layout = decode_layout(encode_layout(DiskLayout(8 * MIB, old, ())))
    target = replace(layout.table, sector_size=sector_size)
    larger = write(tmp_path / "larger.img", target, 9 * MIB)
    assert read(larger, sector_size).first_usable == MIB
    assert usable_extent(target, 9 * MIB).start == MIB


def test_rubbish_instead_of_the_first_usable_place_is_not_believed(tmp_path: Path) -> None:
    table = replace(gpt(linux(1, MIB, MIB)), first_usable=2 * MIB)
    found = read(write(tmp_path / "disk.img", table, 8 * MIB), 512)
    assert (found.first_usable, found.partitions) == (0, table.partitions)
    layout = encode_layout(DiskLayout(8 * MIB, table, ()))
    with pytest.raises(IntegrityError, match="begins before the first byte"):
        decode_layout(layout)


def test_gpt_is_sound_in_the_eyes_of_other_tools(tmp_path: Path) -> None:
    table = gpt(linux(1, MIB, 2 * MIB, name="data", attributes=4), linux(2, 3 * MIB, 4 * MIB))
    path = write(tmp_path / "disk.img", table, 9 * MIB)
    assert "No problems found" in run_tool("sgdisk", "-v", path)
    run_tool("sfdisk", "--verify", path)
    told = sfdisk_table(path)
    assert (told["id"], told["lastlba"]) == (GPT_ID, 9 * MIB // 512 - 34)
    assert [p["uuid"] for p in told["partitions"]] == [GUIDS[1], GUIDS[2]]
    assert told["partitions"][0]["attrs"] == "LegacyBIOSBootable"


def test_gpt_of_large_sectors_is_sound_in_the_eyes_of_fdisk(tmp_path: Path) -> None:
    table = gpt(linux(1, MIB, 2 * MIB), sector_size=4096)
    path = write(tmp_path / "disk.img", table, 9 * MIB)
    told = run_tool("fdisk", "-b", "4096", "--list", path)
    assert GPT_ID in told
    assert "256" in told.splitlines()[-1]


def mbr(sector_size: int) -> PartitionTable:
    link = Extent(4 * MIB, sector_size), Extent(6 * MIB, sector_size)
    return PartitionTable(
        TableKind.MBR,
        sector_size,
        "cafe1234",
        (
            Partition(1, MIB, 2 * MIB, "07", attributes=0x80),
            Partition(2, 4 * MIB, 4 * MIB, "0f", PartitionRole.EXTENDED),
            Partition(5, 5 * MIB, MIB, "83", PartitionRole.LOGICAL),
            Partition(6, 7 * MIB, MIB, "82", PartitionRole.LOGICAL),
        ),
        links=link,
    )


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_mbr_with_logical_partitions_comes_back_as_it_was_written(
    tmp_path: Path, sector_size: int
) -> None:
    table = mbr(sector_size)
    found = read(write(tmp_path / "disk.img", table, 9 * MIB), sector_size)
    assert (found.id, found.partitions, found.links) == (table.id, table.partitions, table.links)


def test_mbr_is_sound_in_the_eyes_of_other_tools(tmp_path: Path) -> None:
    path = write(tmp_path / "disk.img", mbr(512), 9 * MIB)
    run_tool("sfdisk", "--verify", path)
    told = sfdisk_table(path)
    assert told["id"] == "0xcafe1234"
    assert [(p["start"], p["size"], p["type"]) for p in told["partitions"]] == [
        (2048, 4096, "7"),
        (8192, 8192, "f"),
        (10240, 2048, "83"),
        (14336, 2048, "82"),
    ]
    assert told["partitions"][0]["bootable"]


def test_boot_code_and_entries_that_stay_are_not_touched(tmp_path: Path) -> None:
    script = "label: dos\nstart=1MiB, size=2MiB, type=7, bootable\nstart=3MiB, size=2MiB, type=83\n"
    path = make_disk(tmp_path / "disk.img", 9 * MIB, script)
    before = bytearray(path.read_bytes()[:512])
    before[:440] = random.Random(1).randbytes(440)
    table = read(path, 512)
    assert encode_boot_record(bytes(before), table) == before
    second = replace(table.partitions[1], size=MIB)
    after = encode_boot_record(
        bytes(before), replace(table, partitions=(table.partitions[0], second))
    )
    assert after[:462] == before[:462]
    assert after != before


@pytest.mark.parametrize("size", [1, 2, 3])
def test_patch_changes_what_falls_into_a_piece_and_nothing_else(size: int) -> None:
    patch = Patch(4, b"ABCD")
    data = bytes(range(12))
    whole = data[:4] + b"ABCD" + data[8:]
    pieces = [patch.over(data[n : n + size], n) for n in range(0, 12, size)]
    assert b"".join(pieces) == whole


@pytest.mark.parametrize(
    ("kind", "command", "size"),
    [
        (FileSystemKind.NTFS, ["mkntfs", "-qfF"], 8 * MIB),
        (FileSystemKind.FAT12, ["mkfs.fat", "-F12"], 4 * MIB),
        (FileSystemKind.FAT32, ["mkfs.fat", "-F32"], 40 * MIB),
    ],
)
def test_moved_volume_and_the_copy_of_its_boot_sector_name_the_new_start(
    tmp_path: Path, kind: FileSystemKind, command: list[str], size: int
) -> None:
    path = tmp_path / "volume"
    volume = make_volume(path, size, command)
    place = Extent(3 * MIB, size)
    patches = hidden_sector_patches(kind, volume[:512], place, copy_is_there=True)
    assert len(patches) == (1 if kind is FileSystemKind.FAT12 else 2)
    for patch in patches:
        volume = patch.over(volume, 0)
        sector = patch.offset - 28
        assert volume[sector + 28 : sector + 32] == (3 * MIB // 512).to_bytes(4, "little")
        assert volume[sector : sector + 11] == volume[:11]
    path.write_bytes(volume)
    if kind is FileSystemKind.NTFS:
        assert "boot sector... OK" in run_tool("ntfsfix", "--no-action", path)
    else:
        run_tool("fsck.fat", "-n", path)


@pytest.mark.parametrize(
    ("kind", "command", "size", "expected"),
    [
        (FileSystemKind.NTFS, ["mkntfs", "-qfF", "-s", "4096"], 8 * MIB, 4096),
        (FileSystemKind.FAT32, ["mkfs.fat", "-F32", "-S", "4096"], 300 * MIB, 4096),
        (FileSystemKind.EXFAT, ["mkfs.exfat"], 8 * MIB, 512),
        (FileSystemKind.EXT4, ["mkfs.ext4", "-q"], 8 * MIB, None),
    ],
)
def test_sector_size_of_a_volume_is_read_from_its_boot_sector(
    tmp_path: Path, kind: FileSystemKind, command: list[str], size: int, expected: int | None
) -> None:
    path = tmp_path / "volume"
    with open(path, "wb") as file:
        file.truncate(size)
    run_tool(*command, path)
    with open(path, "rb") as file:
        assert volume_sector_size(kind, file.read(512)) == expected
