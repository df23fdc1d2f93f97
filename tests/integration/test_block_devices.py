"""Real block devices: loop devices over images, which only root can make."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backup_agent.errors import FreezeFailedError
from backup_agent.host.select import current_host
from backup_agent.model.disk import TableKind
from backup_agent.sources.disk import open_disk_source
from tests.helpers.disk_images import MIB, make_disk, make_volume, place, run_tool
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/loop-control"),
        reason="needs root and loop devices",
    ),
]


@contextmanager
def attached(image: Path, sector_size: int) -> Iterator[str]:
    try:
        command = ["losetup", "--find", "--show", "--read-only", "-b", str(sector_size)]
        device = run_tool(*command, image).strip()
    except AssertionError as exc:
        pytest.skip(f"no loop device to be had: {exc}")
    try:
        yield device
    finally:
        run_tool("losetup", "--detach", device)


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_block_device_is_read_in_its_own_sectors(tmp_path: Path, sector_size: int) -> None:
    script = "label: dos\nstart=1MiB, size=2MiB, type=7\n"
    image = make_disk(tmp_path / "disk.img", 4 * MIB, script, sector_size=sector_size)
    place(image, MIB, b"\x77" * 2 * MIB)
    host = current_host()
    with attached(image, sector_size) as device:
        disk = host.disk(device)
        assert (disk.size, disk.sector_size, disk.is_image) == (4 * MIB, sector_size, False)
        source = open_disk_source(host, [device])
        collected = CollectedFiles(source)
        source.close()
    stored = CollectedDisk(collected.files)
    assert (stored.layout.table.kind, stored.layout.table.sector_size) == (
        TableKind.MBR,
        sector_size,
    )
    assert stored.read_part(1, 0) == b"\x77" * 2 * MIB
    assert (collected.changed, collected.unreadable) == ({}, {})


def test_mounted_block_device_and_its_image_are_refused(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    make_volume(image, 4 * MIB, ["mkfs.ext4", "-q"])
    folder = tmp_path / "mounted"
    folder.mkdir()
    host = current_host()
    with attached(image, 512) as device:
        done = subprocess.run(["mount", "-o", "ro", device, folder], check=False)
        if done.returncode:
            pytest.skip("this system mounts nothing here")
        try:
            assert host.mounts(device) == [str(folder)]
            for path in (device, str(image)):
                with pytest.raises(FreezeFailedError, match="in use"):
                    open_disk_source(host, [path])
        finally:
            run_tool("umount", folder)
