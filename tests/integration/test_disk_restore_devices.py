"""Restoring to real block devices: loop devices, of both sector sizes, with old data on them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.errors import (
    FreezeFailedError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
    UsageError,
)
from backup_agent.host.select import current_host
from backup_agent.model.disk import Disk, Extent
from backup_agent.sources.disk import open_disk_source
from backup_agent.targets.disk.task import Wishes
from tests.helpers.disk_checks import examine, require_clean, require_clean_volume
from tests.helpers.disk_images import MIB, make_disk, make_volume, place, run_tool
from tests.helpers.fake_host import FakeHost
from tests.helpers.foreign_volumes import make_empty, mounted_ntfs
from tests.helpers.restored_disk import plan_disk_restore, restore_disk
from tests.helpers.small_computer import SmallComputer, make_small_computer

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/loop-control"),
        reason="needs root and loop devices",
    ),
]

OLD = b"what stood here before. "


@contextmanager
def attached(image: Path, *options: str, sector_size: int = 512) -> Iterator[Path]:
    try:
        command = ["losetup", "--find", "--show", "-b", str(sector_size), *options]
        device = run_tool(*command, image).strip()
    except AssertionError as exc:
        pytest.skip(f"no loop device to be had: {exc}")
    try:
        yield Path(device)
    finally:
        run_tool("losetup", "--detach", device)


def used_disk(path: Path, size: int) -> Path:
    """A disk that is full of somebody's old data."""
    path.write_bytes((OLD * (size // len(OLD) + 1))[:size])
    return path


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> SmallComputer:
    return make_small_computer(tmp_path_factory.mktemp("windows"), "windows-gpt")


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> SmallComputer:
    return make_small_computer(tmp_path_factory.mktemp("linux"), "linux-mbr")


@pytest.mark.parametrize("discard", [False, True])
@pytest.mark.parametrize("size", [64, 96, 128])
def test_disk_comes_back_on_a_device_that_held_other_data(
    tmp_path: Path, windows: SmallComputer, size: int, discard: bool
) -> None:
    image = used_disk(tmp_path / "disk.img", size * MIB)
    with attached(image) as device:
        restore_disk(
            windows.stored(),
            device,
            wishes=Wishes(grow=True, discard=discard),
            scratch=tmp_path,
        )
    found = require_clean(image, tmp_path)
    windows.require_files(image, tmp_path)
    for volume in found.volumes.values():
        with open(image, "rb") as file:
            file.seek(volume.start)
            assert OLD not in file.read(volume.size)


def test_logical_partitions_come_back_on_a_device(tmp_path: Path, linux: SmallComputer) -> None:
    image = used_disk(tmp_path / "disk.img", 120 * MIB)
    with attached(image) as device:
        restore_disk(linux.stored(), device, wishes=Wishes(grow=True), scratch=tmp_path)
    require_clean(image, tmp_path)
    linux.require_files(image, tmp_path)


def test_ext_comes_back_on_a_drive_with_large_sectors(tmp_path: Path) -> None:
    computer = make_small_computer(tmp_path, "linux-gpt-ext")
    image = used_disk(tmp_path / "target.img", 120 * MIB)
    with attached(image, sector_size=4096) as device:
        plan = restore_disk(computer.stored(), device, wishes=Wishes(grow=True), scratch=tmp_path)
        run_tool("sfdisk", "--verify", device)
        assert "No problems found" in run_tool("sgdisk", "-v", device)
        for placed in plan.after.placed:
            require_mountable(image, placed.extent, tmp_path / "mounted")
    assert plan.sector_size == 4096
    found = examine(image, sector_size=4096)
    old = examine(computer.image).layout.table
    assert found.layout.table.id == old.id
    assert [p.guid for p in found.layout.table.partitions] == [p.guid for p in old.partitions]
    for number, volume in found.volumes.items():
        path = tmp_path / f"cut{number}"
        with open(image, "rb") as file:
            file.seek(volume.start)
            path.write_bytes(file.read(volume.size))
        require_clean_volume(path, volume)


def test_file_system_that_another_device_over_the_same_file_shows_is_neither_read_nor_overwritten(
    tmp_path: Path, windows: SmallComputer
) -> None:
    image = make_disk(tmp_path / "disk.img", 128 * MIB, "label: gpt\nstart=1MiB, size=8MiB\n")
    place(image, MIB, make_volume(tmp_path / "ext", 8 * MIB, ["mkfs.ext4", "-q"]))
    folder = tmp_path / "mounted"
    folder.mkdir()
    part = ("--offset", str(MIB), "--sizelimit", str(8 * MIB))
    with attached(image) as whole, attached(image, *part) as partition:
        run_tool("mount", partition, folder)
        try:
            with pytest.raises(TargetInUseError, match=str(folder)):
                plan_disk_restore(windows.stored(), whole)
            with pytest.raises(FreezeFailedError, match=str(folder)):
                open_disk_source(current_host(), [str(whole)])
            open_disk_source(current_host(), [str(whole)], allow_mounted=True).close()
        finally:
            run_tool("umount", folder)
        assert plan_disk_restore(windows.stored(), whole).target.path == str(whole)


def require_mountable(image: Path, extent: Extent, folder: Path) -> None:
    """By the kernel, as a partition of a drive with large sectors."""
    folder.mkdir(exist_ok=True)
    options = ("--read-only", "--offset", str(extent.start), "--sizelimit", str(extent.size))
    with attached(image, *options, sector_size=4096) as partition:
        run_tool("mount", "-o", "ro", partition, folder)
        run_tool("umount", folder)


def test_ext_with_small_blocks_is_refused_on_a_drive_with_large_sectors(
    tmp_path: Path, linux: SmallComputer
) -> None:
    image = used_disk(tmp_path / "disk.img", 128 * MIB)
    with attached(image, sector_size=4096) as device:
        for volume in (None, 1):
            with pytest.raises(TargetError, match="has blocks of 1024 bytes and cannot work on"):
                plan_disk_restore(linux.stored(), device, volume=volume)
    assert image.read_bytes().startswith(OLD)


def test_unknown_partition_table_is_refused_on_a_drive_with_large_sectors(tmp_path: Path) -> None:
    script = "label: dos\nstart=1MiB, size=4MiB, type=f\nstart=2MiB, size=1MiB, type=83\n"
    source = make_disk(tmp_path / "source.img", 8 * MIB, script)
    place(source, MIB, bytes(512))
    image = used_disk(tmp_path / "disk.img", 8 * MIB)
    with (
        attached(image, sector_size=4096) as device,
        pytest.raises(TargetError, match="was made for sectors of 512 bytes"),
    ):
        plan_disk_restore(SmallComputer(source, {}).stored(), device)
    assert image.read_bytes().startswith(OLD)


def test_ntfs_is_refused_on_a_drive_with_large_sectors(
    tmp_path: Path, windows: SmallComputer
) -> None:
    image = used_disk(tmp_path / "disk.img", 128 * MIB)
    with (
        attached(image, sector_size=4096) as device,
        pytest.raises(TargetError, match="made for sectors of 512 bytes"),
    ):
        plan_disk_restore(windows.stored(), device)
    assert image.read_bytes().startswith(OLD)


class PartitionedHost(FakeHost):
    """Takes a device for a partition: a loop device over a stretch of a disk is like one."""

    def disk(self, path: str) -> Disk:
        return current_host().disk(path)

    def start_on_disk(self, path: str) -> int | None:
        return 3 * MIB


def test_single_volume_comes_back_on_a_partition_and_knows_its_start(
    tmp_path: Path, windows: SmallComputer
) -> None:
    script = "label: gpt\nstart=3MiB, size=50MiB\n"
    image = make_disk(tmp_path / "disk.img", 64 * MIB, script)
    options = ("--offset", str(3 * MIB), "--sizelimit", str(50 * MIB))
    with attached(image, *options) as partition:
        host = PartitionedHost()
        with pytest.raises(UsageError, match="is a partition"):
            plan_disk_restore(windows.stored(), partition, host=host)
        restore_disk(windows.stored(), partition, volume=3, scratch=tmp_path, host=host)
    found = require_clean(image, tmp_path)
    assert found.volumes[1].start == 3 * MIB
    alone = SmallComputer(image, {1: windows.hashes[3]})
    alone.require_files(image, tmp_path)
    with open(image, "rb") as file:
        file.seek(3 * MIB + 28)
        assert int.from_bytes(file.read(4), "little") == 3 * MIB // 512


def test_device_that_is_mounted_is_refused(tmp_path: Path, linux: SmallComputer) -> None:
    image = tmp_path / "disk.img"
    with open(image, "wb") as file:
        file.truncate(128 * MIB)
    run_tool("mkfs.ext4", "-q", image)
    folder = tmp_path / "mounted"
    folder.mkdir()
    with attached(image) as device:
        if subprocess.run(["mount", device, folder], check=False).returncode:
            pytest.skip("this system mounts nothing here")
        try:
            for target in (device, image):
                with pytest.raises(TargetInUseError, match="in use"):
                    plan_disk_restore(linux.stored(), target, overwrite=True)
            with pytest.raises(TargetInUseError, match="holds the repository"):
                plan_disk_restore(linux.stored(), device, repository=str(folder / "lost+found"))
            with pytest.raises(TargetInUseError, match="another program"):
                current_host().open_target(current_host().disk(str(device)))
        finally:
            run_tool("umount", folder)


def test_device_that_is_read_only_is_refused(tmp_path: Path, linux: SmallComputer) -> None:
    image = used_disk(tmp_path / "disk.img", 128 * MIB)
    with (
        attached(image, "--read-only") as device,
        pytest.raises(TargetError, match="is read-only"),
    ):
        plan_disk_restore(linux.stored(), device)


def test_device_that_is_too_small_is_refused(tmp_path: Path, linux: SmallComputer) -> None:
    image = used_disk(tmp_path / "disk.img", 20 * MIB)
    with attached(image) as device, pytest.raises(TargetTooSmallError, match="needs about"):
        plan_disk_restore(linux.stored(), device)
    assert image.read_bytes().startswith(OLD)


def test_image_that_a_loop_device_shows_is_refused(windows: SmallComputer, tmp_path: Path) -> None:
    image = used_disk(tmp_path / "disk.img", 96 * MIB)
    with attached(image) as device, pytest.raises(TargetInUseError, match=str(device)):
        plan_disk_restore(windows.stored(), image, overwrite=True)


def test_image_that_fuse_mounts_is_in_use(windows: SmallComputer, tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "ntfs", 16 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, tmp_path / "mounted") as folder:
        assert current_host().volume_mounts(str(volume), 0) == [str(folder)]
        with pytest.raises(TargetInUseError, match="is in use"):
            plan_disk_restore(windows.stored(), volume, overwrite=True)
    assert current_host().mounts(str(volume)) == []
