"""Disks as a source: what is refused, what is reported, what stays the same."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from backup_agent.errors import FreezeFailedError, SourceError, UsageError
from backup_agent.filesystems.restore_mark import encode_mark
from backup_agent.format.disk_layout import decode_machine
from backup_agent.host.api import Host
from backup_agent.model.disk import Extent, FileSystemKind, TableKind
from backup_agent.model.machine import Firmware, Machine
from backup_agent.model.node import Node, NodeKind
from backup_agent.sources.disk import open_disk_source
from backup_agent.sources.entry import Chunking, Entry, Source
from tests.helpers.disk_images import MIB, make_disk, make_volume, place
from tests.helpers.fake_host import FakeHost
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles

SCRIPT = "label: dos\nlabel-id: 0x12345678\nstart=1MiB, size=2MiB, type=83\n"
PART = "/disks/0/volumes/1/image/0000/part"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = make_disk(tmp_path / "disk.img", 4 * MIB, SCRIPT)
    with open(path, "r+b") as file:
        file.seek(MIB)
        file.write(b"\xaa" * 2 * MIB)
    return path


def entries(source: Source) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    waiting = list(source.roots())
    while waiting:
        entry = waiting.pop()
        found[entry.path.decode()] = entry
        if entry.node.kind is NodeKind.FOLDER:
            waiting += source.children(entry)
    return found


def collect(image: Path, host: Host) -> CollectedFiles:
    source = open_disk_source(host, [str(image)])
    try:
        return CollectedFiles(source)
    finally:
        source.close()


def test_tree_is_the_documented_one(image: Path) -> None:
    source = open_disk_source(FakeHost(), [str(image)], part_size=MIB)
    assert sorted(entries(source)) == [
        "/disks",
        "/disks/0",
        "/disks/0/head.img",
        "/disks/0/layout.json",
        "/disks/0/tail.img",
        "/disks/0/volumes",
        "/disks/0/volumes/1",
        "/disks/0/volumes/1/image",
        "/disks/0/volumes/1/image/0000",
        "/disks/0/volumes/1/image/0000/part",
        "/disks/0/volumes/1/image/0001",
        "/disks/0/volumes/1/image/0001/part",
        "/disks/0/volumes/1/volume.json",
        "/machine.json",
    ]
    source.close()


def test_nodes_stay_the_same_from_run_to_run(image: Path) -> None:
    def nodes() -> dict[str, tuple[Node, bool]]:
        source = open_disk_source(FakeHost(), [str(image)])
        found = {path: (e.node, e.mtime_from_content) for path, e in entries(source).items()}
        source.close()
        return found

    first = nodes()
    with open(image, "r+b") as file:
        file.seek(MIB)
        file.write(b"changed")
    assert nodes() == first


def test_files_are_always_read_and_folders_keep_their_time(image: Path) -> None:
    source = open_disk_source(FakeHost(), [str(image)])
    for entry in entries(source).values():
        assert entry.mtime_from_content == (entry.node.kind is NodeKind.FILE)
    source.close()


def test_images_are_cut_in_fixed_chunks(image: Path) -> None:
    source = open_disk_source(FakeHost(), [str(image)])
    found = entries(source)
    assert source.open(found[PART]).chunking is Chunking.FIXED
    assert source.open(found["/disks/0/layout.json"]).chunking is Chunking.CONTENT
    source.close()


def test_machine_says_what_was_backed_up(image: Path) -> None:
    files = collect(image, FakeHost()).files
    machine = decode_machine(files["/machine.json"])
    assert machine == Machine("office-pc", "Test OS 1.0", Firmware.UEFI, machine.tool_version)


def test_several_disks_stand_beside_each_other(tmp_path: Path, image: Path) -> None:
    other = make_disk(tmp_path / "other.img", 4 * MIB, SCRIPT)
    source = open_disk_source(FakeHost(), [str(image), str(other)])
    assert source.paths == (str(image), str(other))
    assert {"/disks/0/head.img", "/disks/1/head.img"} <= set(entries(source))
    source.close()


def test_disk_named_twice_is_refused(image: Path) -> None:
    with pytest.raises(UsageError, match="named twice"):
        open_disk_source(FakeHost(), [str(image), str(image)])


def test_mounted_disk_is_refused_and_the_message_says_why(image: Path) -> None:
    host = FakeHost(mounted={str(image): ["/home", "[swap]"]})
    with pytest.raises(FreezeFailedError, match=r"in use \(/home, \[swap\]\).*half as it was"):
        open_disk_source(host, [str(image)])


def test_mounted_disk_is_read_where_that_is_allowed(image: Path) -> None:
    host = FakeHost(mounted={str(image): ["/home"]})
    source = open_disk_source(host, [str(image)], allow_mounted=True)
    assert PART in entries(source)
    source.close()


def test_disk_whose_table_lies_is_stored_as_a_whole_and_is_incomplete(image: Path) -> None:
    with open(image, "r+b") as file:
        file.truncate(2 * MIB)
    collected = collect(image, FakeHost())
    assert CollectedDisk(collected.files).read_part(0, 0) == image.read_bytes()
    (reason,) = collected.changed.values()
    assert list(collected.changed) == ["/disks/0/layout.json"]
    assert reason.startswith("Partition 1 ends at byte 3145728, behind the disk's end")
    assert reason.endswith("The whole disk is taken as it is, used or not.")


@pytest.mark.parametrize("bad", [Extent(0, 512), Extent(0, MIB)], ids=["sector 0", "first MiB"])
def test_disk_whose_table_cannot_be_read_is_stored_as_far_as_it_can(
    image: Path, bad: Extent
) -> None:
    collected = collect(image, FakeHost(bad=[bad]))
    whole = "/disks/0/volumes/0/image/0000/part"
    assert collected.unreadable == {whole: [bad]}
    assert "Sector 0 of the disk cannot be read" in collected.changed["/disks/0/layout.json"]
    expected = image.read_bytes()
    stored = CollectedDisk(collected.files)
    assert stored.read_part(0, 0) == bytes(bad.size) + expected[bad.size :]
    assert (stored.layout.table.kind, stored.layout.table.undivided) == (TableKind.NONE, (0,))


def test_nothing_is_left_out_of_an_extended_partition_that_is_not_believed(tmp_path: Path) -> None:
    script = "label: dos\nstart=1MiB, size=4MiB, type=f\n"
    image = make_disk(tmp_path / "disk.img", 6 * MIB, script)
    # What it looks like from its first sectors is a FAT that calls nearly all of it unused.
    place(image, MIB, b"\xaa" * 4 * MIB)
    place(image, MIB, make_volume(tmp_path / "fat", 4 * MIB, ["mkfs.fat"])[:65536])
    collected = collect(image, FakeHost())
    stored = CollectedDisk(collected.files)
    assert stored.layout.table.undivided == (1,)
    assert "holds no boot record" in collected.changed["/disks/0/layout.json"]
    assert stored.volumes[0].file_system.kind is FileSystemKind.UNKNOWN
    assert stored.read_part(1, 0) == image.read_bytes()[MIB : 5 * MIB]


def test_unreadable_sectors_become_zeros_and_are_named(image: Path) -> None:
    bad = [Extent(MIB + 10 * 4096 + 512, 512), Extent(2 * MIB - 100, 200)]
    collected = collect(image, FakeHost(bad=bad))
    assert collected.unreadable == {
        PART: [Extent(10 * 4096 + 512, 512), Extent(MIB - 512, 1024)],
    }
    expected = bytearray(b"\xaa" * 2 * MIB)
    for extent in collected.unreadable[PART]:
        expected[extent.start : extent.end] = bytes(extent.size)
    assert collected.files[PART] == expected


def test_unreadable_head_does_not_go_unnoticed(image: Path) -> None:
    collected = collect(image, FakeHost(bad=[Extent(8192, 1)]))
    assert collected.unreadable == {"/disks/0/head.img": [Extent(8192, 512)]}


def test_error_that_is_no_bad_sector_ends_the_run(image: Path) -> None:
    host = FakeHost(bad=[Extent(2 * MIB, 1)], error=errno.ENODEV)
    with pytest.raises(SourceError, match="No such device"):
        collect(image, host)


def test_image_that_shrinks_while_it_is_read_ends_the_run(image: Path) -> None:
    source = open_disk_source(FakeHost(), [str(image)])
    stream = source.open(entries(source)[PART])
    buffer = memoryview(bytearray(MIB))
    assert stream.readinto(buffer) == MIB
    with open(image, "r+b") as file:
        file.truncate(2 * MIB + 1000)
    with pytest.raises(SourceError, match="ends at byte 2098152, but had 4194304"):
        stream.readinto(buffer)
    source.close()


def test_image_written_to_while_it_is_read_is_reported(image: Path) -> None:
    source = open_disk_source(FakeHost(), [str(image)])
    with open(image, "ab") as file:
        file.write(b"more")
    collected = CollectedFiles(source)
    assert "was changed while it was read" in collected.changed[PART]
    source.close()


def test_change_is_reported_once_for_each_volume_whatever_its_parts(image: Path) -> None:
    """Each volume can be restored alone, and is to be known as doubtful then."""
    source = open_disk_source(FakeHost(), [str(image)], part_size=MIB)
    with open(image, "ab") as file:
        file.write(b"more")
    collected = CollectedFiles(source)
    source.close()
    volumes = sum(path.endswith("/volume.json") for path in collected.files)
    parts = sum(path.endswith("/part") for path in collected.files)
    assert parts > volumes
    assert len(collected.changed) == volumes + 1


def test_image_left_alone_is_not_reported(image: Path) -> None:
    assert collect(image, FakeHost()).changed == {}


def test_unreadable_copy_of_the_table_costs_a_remark_and_no_more(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "gpt.img", 4 * MIB, "label: gpt\nstart=1MiB, size=1MiB\n")
    source = open_disk_source(FakeHost(bad=[Extent(512, 512)]), [str(image)])
    assert source.remarks == (
        f"{image}: The first copy of the partition table cannot be read: Input/output error.",
    )
    assert set(CollectedFiles(source).unreadable) == {"/disks/0/head.img"}
    source.close()


def test_unreadable_superblock_leaves_the_volume_unknown(image: Path) -> None:
    collected = collect(image, FakeHost(bad=[Extent(MIB, 512)]))
    assert b'"file_system": "unknown"' in collected.files["/disks/0/volumes/1/volume.json"]
    assert collected.unreadable == {PART: [Extent(0, 512)]}


def test_sectors_beside_an_unreadable_one_are_kept(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "gpt.img", 4 * MIB, "label: gpt\nstart=1MiB, size=1MiB\n")
    collected = collect(image, FakeHost(bad=[Extent(512, 512)]))
    head = image.read_bytes()[:MIB]
    assert collected.unreadable == {"/disks/0/head.img": [Extent(512, 512)]}
    assert collected.files["/disks/0/head.img"] == head[:512] + bytes(512) + head[1024:]


def test_end_of_an_mbr_disk_is_kept(image: Path) -> None:
    with open(image, "r+b") as file:
        file.seek(-10, 2)
        file.write(b"PRIVHEAD--")
    files = collect(image, FakeHost()).files
    assert files["/disks/0/tail.img"] == bytes(MIB - 10) + b"PRIVHEAD--"


def test_half_restored_disk_is_called_so(tmp_path: Path) -> None:
    target = tmp_path / "half.img"
    target.write_bytes(encode_mark(bytes(32), 512) + bytes(MIB))
    source = open_disk_source(FakeHost(), [str(target)])
    (remark,) = source.remarks
    assert "A restore by Everboot was interrupted here" in remark
    source.close()
