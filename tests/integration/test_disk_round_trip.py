"""A disk goes through the source into an image target, and comes out the same, byte for byte."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.model.disk import FileSystemKind, Volume
from backup_agent.model.events import Event, Progress
from backup_agent.sources.disk import open_disk_source
from tests.helpers.disk_images import MIB, make_disk, make_volume, place, run_tool
from tests.helpers.restored_disk import restore_disk
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles
from tests.helpers.volumes import make_file_system, put_ext, put_fat, put_ntfs

GPT = """\
label: gpt
start=1MiB, size=4MiB, type=U, name="EFI"
start=5MiB, size=8MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name="Basic data partition"
start=16MiB, size=4MiB, type=L
"""
MBR = """\
label: dos
start=1MiB, size=4MiB, type=c, bootable
start=5MiB, size=14MiB, type=f
start=6MiB, size=8MiB, type=7
start=15MiB, size=4MiB, type=83
"""
CONTENT = [
    (4 * MIB, ["mkfs.fat", "-n", "BOOT"], put_fat),
    (8 * MIB, ["mkntfs", "-qfF", "-L", "Windows"], put_ntfs),
    (4 * MIB, ["mkfs.ext4", "-q", "-L", "data"], put_ext),
]
CASES = {
    "gpt": (GPT, 512, (1, 5, 16)),
    "gpt-4096": (GPT, 4096, (1, 5, 16)),
    "mbr": (MBR, 512, (1, 6, 15)),
    "mbr-4096": (MBR, 4096, (1, 6, 15)),
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_computer(folder: Path, case: str) -> Path:
    """An image with boot code and three file systems, each with a file in it."""
    script, sector_size, starts = CASES[case]
    image = make_disk(folder / "disk.img", 24 * MIB, script, sector_size=sector_size)
    place(image, 0, b"boot code")
    place(image, MIB // 2, b"second stage of the boot loader")
    for start, (size, command, put) in zip(starts, CONTENT, strict=True):
        volume = make_file_system(folder / "volume", size, *command)
        file = folder / "file"
        file.write_bytes(random.Random(start).randbytes(MIB))
        put(volume, file, "file.bin")
        place(image, start * MIB, volume.read_bytes())
    return image


def restore(image: Path, target: Path, *, part_size: int = 1 << 30) -> list[Event]:
    host = current_host()
    source = open_disk_source(host, [str(image)], part_size=part_size)
    stored = CollectedDisk(CollectedFiles(source).files)
    source.close()
    events: list[Event] = []
    restore_disk(stored, target, emit=events.append)
    return events


@pytest.mark.parametrize("case", CASES)
def test_restored_image_is_the_source_and_the_source_is_untouched(
    tmp_path: Path, case: str
) -> None:
    image = make_computer(tmp_path, case)
    before = sha256(image)
    restored = tmp_path / "restored.img"
    events = restore(image, restored, part_size=3 * MIB)
    assert sha256(image) == before
    assert sha256(restored) == before
    progress = [event for event in events if isinstance(event, Progress)]
    for phase in ("restore", "verify"):
        last = [event for event in progress if event.phase == phase][-1]
        assert 3 * MIB <= last.bytes_done == last.bytes_total


@pytest.mark.parametrize("case", ["gpt", "mbr"])
def test_restored_table_is_clean_in_the_eyes_of_other_tools(tmp_path: Path, case: str) -> None:
    restored = tmp_path / "restored.img"
    restore(make_computer(tmp_path, case), restored)
    run_tool("sfdisk", "--verify", restored)
    if case == "gpt":
        assert "No problems found" in run_tool("sgdisk", "-v", restored)


def test_volumes_of_a_restore_point_are_named_and_recognised(tmp_path: Path) -> None:
    image = make_computer(tmp_path, "mbr")
    source = open_disk_source(current_host(), [str(image)])
    stored = CollectedDisk(CollectedFiles(source).files)
    source.close()

    def told(volume: Volume) -> tuple[int, FileSystemKind, str]:
        return volume.number, volume.file_system.kind, volume.file_system.label

    assert [told(volume) for volume in stored.volumes] == [
        (1, FileSystemKind.FAT12, "BOOT"),
        (5, FileSystemKind.NTFS, "Windows"),
        (6, FileSystemKind.EXT4, "data"),
    ]


@pytest.mark.parametrize("command", [["mkfs.fat", "-F32"], ["mkfs.ext4", "-q"]])
def test_undivided_disk_comes_back_whole(tmp_path: Path, command: list[str]) -> None:
    image = tmp_path / "disk.img"
    make_volume(image, 40 * MIB, command)
    restored = tmp_path / "restored.img"
    restore(image, restored)
    assert sha256(restored) == sha256(image)


def test_restored_image_has_holes_where_the_source_has_zeros(tmp_path: Path) -> None:
    image = make_disk(tmp_path / "disk.img", 64 * MIB, "label: gpt\nstart=1MiB, size=60MiB\n")
    restored = tmp_path / "restored.img"
    restore(image, restored)
    assert restored.stat().st_size == 64 * MIB
    assert restored.stat().st_blocks * 512 <= MIB


def test_joined_parts_are_the_raw_volume(tmp_path: Path) -> None:
    image = make_computer(tmp_path, "gpt")
    source = open_disk_source(current_host(), [str(image)], part_size=MIB)
    files = CollectedFiles(source).files
    source.close()
    parts = [files[path] for path in sorted(files) if path.startswith("/disks/0/volumes/2/image")]
    assert len(parts) == 8
    assert b"".join(parts) == image.read_bytes()[5 * MIB : 13 * MIB]
