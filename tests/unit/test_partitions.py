"""Partition tables, compared with what sfdisk reads from the same bytes."""

from __future__ import annotations

import errno
import io
import struct
from pathlib import Path

import pytest

from backup_agent.errors import PartitionTableError, SourceError
from backup_agent.filesystems.partitions import read_partition_table
from backup_agent.model.disk import Extent, PartitionRole, PartitionTable, TableKind
from tests.helpers.disk_images import (
    MIB,
    make_disk,
    make_volume,
    place,
    reseal_gpt,
    run_tool,
    sfdisk_table,
)
from tests.helpers.fake_host import FailingFile

GPT_SCRIPT = """\
label: gpt
label-id: 6F3C9D0E-2B1A-4C5D-8E7F-0123456789AB
start=1MiB, size=2MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="EFI-Systempartition ü"
start=3MiB, size=1MiB, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, attrs="GUID:63"
start=5MiB, size=2MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, attrs="RequiredPartition,GUID:60"
"""
MBR_SCRIPT = """\
label: dos
label-id: 0xdeadbeef
start=1MiB, size=1MiB, type=7, bootable
start=2MiB, size=6MiB, type=f
start=3MiB, size=1MiB, type=83
start=5MiB, size=1MiB, type=82
start=7MiB, size=1MiB, type=b
"""


def read(data: bytes | bytearray, *, sector_size: int | None = None) -> PartitionTable:
    return read_partition_table(io.BytesIO(data), disk_size=len(data), sector_size=sector_size)


@pytest.fixture
def gpt(tmp_path: Path) -> bytearray:
    return bytearray(make_disk(tmp_path / "gpt.img", 8 * MIB, GPT_SCRIPT).read_bytes())


@pytest.fixture
def mbr(tmp_path: Path) -> bytearray:
    return bytearray(make_disk(tmp_path / "mbr.img", 8 * MIB, MBR_SCRIPT).read_bytes())


def first_ebr(disk: bytearray) -> int:
    return 2 * MIB


def read_failing(tmp_path: Path, data: bytes | bytearray, *bad: Extent) -> PartitionTable:
    """The table of a disk on which some bytes cannot be read."""
    path = tmp_path / "failing.img"
    path.write_bytes(data)
    with FailingFile(str(path), bad, errno.EIO) as file:
        return read_partition_table(file, disk_size=len(data), sector_size=512)


def why_taken_as_a_whole(disk: bytearray) -> str:
    """The flaw for which the extended partition is one volume, with all that is in it."""
    table = read(disk)
    assert [(p.number, p.role, p.type) for p in table.partitions] == [
        (1, PartitionRole.PRIMARY, "07"),
        (2, PartitionRole.PRIMARY, "0f"),
    ]
    assert table.partitions[1].extent == Extent(2 * MIB, 6 * MIB)
    assert (table.links, table.undivided) == ((), (2,))
    (flaw,) = table.flaws
    return flaw


def test_gpt_is_read_as_sfdisk_reads_it(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "gpt.img", 8 * MIB, GPT_SCRIPT)
    theirs = sfdisk_table(image)
    ours = read(image.read_bytes())
    assert (ours.kind, ours.sector_size, ours.flaws) == (TableKind.GPT, 512, ())
    assert ours.id == theirs["id"]
    assert [(p.start // 512, p.size // 512, p.type, p.guid, p.name) for p in ours.partitions] == [
        (p["start"], p["size"], p["type"], p["uuid"], p.get("name", ""))
        for p in theirs["partitions"]
    ]
    assert [p.attributes for p in ours.partitions] == [0, 1 << 63, 1 | 1 << 60]


def test_gaps_in_the_gpt_keep_their_numbers(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "gpt.img", 8 * MIB, GPT_SCRIPT)
    run_tool("sgdisk", "--delete=2", image)
    assert [p.number for p in read(image.read_bytes()).partitions] == [1, 3]


def test_mbr_with_logical_partitions_is_read_as_sfdisk_reads_it(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "mbr.img", 8 * MIB, MBR_SCRIPT)
    theirs = sfdisk_table(image)
    ours = read(image.read_bytes())
    assert (ours.kind, f"0x{ours.id}") == (TableKind.MBR, theirs["id"])
    assert [
        (f"{image}{p.number}", p.start // 512, p.size // 512, int(p.type, 16), p.attributes == 0x80)
        for p in ours.partitions
    ] == [
        (p["node"], p["start"], p["size"], int(p["type"], 16), p.get("bootable", False))
        for p in theirs["partitions"]
    ]
    assert [p.role for p in ours.partitions] == [
        PartitionRole.PRIMARY,
        PartitionRole.EXTENDED,
        *[PartitionRole.LOGICAL] * 3,
    ]
    assert len(ours.links) == 3
    assert ours.links[0].start == 2 * MIB


def test_gpt_in_4096_byte_sectors_is_found_in_an_image_that_does_not_say(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "4k.img", 8 * MIB, GPT_SCRIPT, sector_size=4096)
    table = read(image.read_bytes())
    assert (table.kind, table.sector_size) == (TableKind.GPT, 4096)
    assert [(p.start, p.size) for p in table.partitions] == [
        (1 * MIB, 2 * MIB),
        (3 * MIB, 1 * MIB),
        (5 * MIB, 2 * MIB),
    ]


def test_mbr_in_4096_byte_sectors_is_told_by_its_file_systems(tmp_path: Path) -> None:
    script = "label: dos\nstart=1MiB, size=4MiB, type=83\n"
    image = make_disk(tmp_path / "4k.img", 8 * MIB, script, sector_size=4096)
    place(image, MIB, make_volume(tmp_path / "ext", 4 * MIB, ["mkfs.ext4", "-q"]))
    table = read(image.read_bytes())
    assert (table.sector_size, table.partitions[0].start) == (4096, MIB)


def test_second_gpt_copy_serves_when_the_first_is_damaged(gpt: bytearray) -> None:
    whole = read(gpt)
    gpt[512 + 60] ^= 1
    table = read(gpt)
    assert (table.id, table.partitions) == (whole.id, whole.partitions)
    assert table.primary is None
    assert table.flaws == (
        "The first copy of the partition table is damaged: its header's checksum is wrong.",
    )


def test_damaged_second_gpt_copy_is_named(gpt: bytearray) -> None:
    gpt[-512:] = bytes(512)
    table = read(gpt)
    assert (table.backup, len(table.partitions)) == (None, 3)
    assert "second copy" in table.flaws[0]


def test_two_damaged_gpt_copies_are_refused(gpt: bytearray) -> None:
    gpt[512] = gpt[-512] = 0
    with pytest.raises(PartitionTableError, match="Both copies"):
        read(gpt)


def test_gpt_behind_a_wiped_sector_0_is_still_read(gpt: bytearray) -> None:
    gpt[:512] = bytes(512)
    table = read(gpt)
    assert (table.kind, len(table.partitions)) == (TableKind.GPT, 3)
    assert table.flaws == ("The protective MBR in sector 0 is missing.",)


def test_gpt_behind_a_sector_0_that_cannot_be_read_is_believed_if_both_copies_are_whole(
    tmp_path: Path, gpt: bytearray
) -> None:
    whole = read(gpt)
    table = read_failing(tmp_path, gpt, Extent(0, 512))
    assert table.partitions == whole.partitions
    assert table.flaws == ("Sector 0 of the disk cannot be read: Input/output error.",)
    gpt[-512] ^= 1
    with pytest.raises(PartitionTableError, match="Sector 0 of the disk cannot be read"):
        read_failing(tmp_path, gpt, Extent(0, 512))


def test_remnant_of_a_gpt_does_not_divide_a_disk_formatted_as_a_whole(
    tmp_path: Path, gpt: bytearray
) -> None:
    volume = make_volume(tmp_path / "fat", 4 * MIB, ["mkfs.fat"])
    gpt[: len(volume)] = volume
    assert read(gpt).kind is TableKind.NONE


def test_gpt_of_a_disk_that_grew_is_read_with_a_remark(gpt: bytearray) -> None:
    table = read(gpt + bytes(MIB))
    assert len(table.partitions) == 3
    assert table.flaws == ("The second copy of the partition table is not at the disk's end.",)


def test_gpt_partition_behind_the_end_of_a_cut_off_image_is_refused(gpt: bytearray) -> None:
    with pytest.raises(PartitionTableError, match="Partition 3 ends at byte 7340032, behind"):
        read(gpt[: 6 * MIB])


def test_overlapping_gpt_partitions_are_refused(gpt: bytearray) -> None:
    # The second entry's first sector, in both copies, moved into the first partition.
    for entries in (1024, len(gpt) - 33 * 512):
        struct.pack_into("<Q", gpt, entries + 128 + 32, 4096)
    reseal_gpt(gpt)
    with pytest.raises(PartitionTableError, match="partition 2 overlaps partition 1"):
        read(gpt)


def test_partition_over_the_partition_table_is_refused(gpt: bytearray) -> None:
    for entries in (1024, len(gpt) - 33 * 512):
        struct.pack_into("<Q", gpt, entries + 32, 20)
    reseal_gpt(gpt)
    with pytest.raises(PartitionTableError, match="partition 1 overlaps the partition table"):
        read(gpt)


def test_gpt_that_claims_a_million_entries_is_refused(gpt: bytearray) -> None:
    for header in (512, len(gpt) - 512):
        struct.pack_into("<I", gpt, header + 80, 1_000_000)
    reseal_gpt(gpt)
    with pytest.raises(PartitionTableError, match="claims 1000000 entries"):
        read(gpt)


def test_hybrid_mbr_yields_to_the_gpt(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "hybrid.img", 8 * MIB, GPT_SCRIPT)
    run_tool("sgdisk", "--hybrid=1:3", image)
    table = read(image.read_bytes())
    assert (table.kind, len(table.partitions)) == (TableKind.GPT, 3)


def test_circle_of_logical_partitions_is_refused(mbr: bytearray) -> None:
    second = 2 * MIB + 512 * struct.unpack_from("<I", mbr, first_ebr(mbr) + 446 + 16 + 8)[0]
    mbr[second + 446 + 16 : second + 446 + 32] = struct.pack("<B3xB3xII", 0, 5, 0, 100)
    assert "runs in a circle" in why_taken_as_a_whole(mbr)


def test_chain_that_leaves_its_extended_partition_is_refused(mbr: bytearray) -> None:
    struct.pack_into("<I", mbr, first_ebr(mbr) + 446 + 16 + 8, 50_000)
    assert "leaves its partition" in why_taken_as_a_whole(mbr)


def test_chain_that_breaks_off_is_refused(mbr: bytearray) -> None:
    struct.pack_into("<I", mbr, first_ebr(mbr) + 446 + 16 + 8, 3)
    assert "breaks off" in why_taken_as_a_whole(mbr)


@pytest.mark.parametrize("link", [0, 1, 2])
@pytest.mark.parametrize("damage", [bytes(512), b"\xff" * 512], ids=["wiped", "overwritten"])
def test_logical_partitions_are_not_lost_with_a_link_of_their_chain(
    mbr: bytearray, link: int, damage: bytes
) -> None:
    place = read(mbr).links[link].start
    mbr[place : place + 512] = damage
    assert f"byte {place} holds no boot record" in why_taken_as_a_whole(mbr)


@pytest.mark.parametrize("link", [0, 1, 2])
def test_logical_partitions_are_not_lost_with_a_link_that_cannot_be_read(
    tmp_path: Path, mbr: bytearray, link: int
) -> None:
    bad = read(mbr).links[link]
    table = read_failing(tmp_path, mbr, bad)
    assert table.undivided == (2,)
    assert f"byte {bad.start} cannot be read (Input/output error)" in table.flaws[0]


@pytest.mark.parametrize("size", [1, 4], ids=["no room", "room"])
def test_extended_partition_that_nobody_divided_is_empty(tmp_path: Path, size: int) -> None:
    script = f"label: dos\nstart=1MiB, size=1MiB, type=7\nstart=2MiB, size={size}MiB, type=f\n"
    table = read(make_disk(tmp_path / "mbr.img", 8 * MIB, script).read_bytes())
    assert [p.role for p in table.partitions] == [PartitionRole.PRIMARY, PartitionRole.EXTENDED]
    assert (len(table.links), table.undivided) == (1, ())
    assert len(table.flaws) == (size > 1)


def test_emptied_chain_of_logical_partitions_is_told(mbr: bytearray) -> None:
    assert read(mbr).flaws == ()
    first = first_ebr(mbr)
    mbr[first : first + 510] = bytes(510)
    table = read(mbr)
    assert not [p for p in table.partitions if p.role is PartitionRole.LOGICAL]
    assert "Extended partition 2 names no logical partition" in table.flaws[0]


def test_logical_partition_that_covers_the_next_link_is_refused(mbr: bytearray) -> None:
    struct.pack_into("<I", mbr, first_ebr(mbr) + 446 + 12, 4096)
    assert "overlaps" in why_taken_as_a_whole(mbr)


def test_two_extended_partitions_are_refused(mbr: bytearray) -> None:
    mbr[446 + 4] = 0x05
    with pytest.raises(PartitionTableError, match="two extended partitions"):
        read(mbr)


@pytest.mark.parametrize("command", [["mkfs.fat"], ["mkntfs", "-qfF"], ["mkfs.ext4", "-q"]])
def test_disk_formatted_as_a_whole_is_undivided(tmp_path: Path, command: list[str]) -> None:
    table = read(make_volume(tmp_path / "whole", 4 * MIB, command))
    assert (table.kind, table.partitions) == (TableKind.NONE, ())


def test_boot_record_without_partitions_is_an_undivided_disk() -> None:
    assert read(bytes(510) + b"\x55\xaa" + bytes(MIB)).kind is TableKind.NONE


def test_empty_disk_is_refused() -> None:
    with pytest.raises(SourceError, match="too small to be a disk: 0 bytes"):
        read(b"")
