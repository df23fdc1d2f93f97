"""A drive with a bad sector, as a real block device: its neighbours must not be lost with it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.model.disk import Extent
from backup_agent.sources.disk import open_disk_source
from tests.helpers.disk_checks import require_clean
from tests.helpers.disk_images import MIB, make_disk, place
from tests.helpers.failing_drive import failing_drive
from tests.helpers.restored_disk import restore_disk
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.exists("/dev/loop-control"),
        reason="needs root and loop devices",
    ),
]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = make_disk(tmp_path / "disk.img", 4 * MIB, "label: gpt\nstart=1MiB, size=2MiB, type=L\n")
    place(path, MIB, random.Random(5).randbytes(2 * MIB))
    return path


def back_up(image: Path, folder: Path, bad_sector: int) -> CollectedFiles:
    with failing_drive(image, folder, bad_sector=bad_sector) as device:
        source = open_disk_source(current_host(), [device])
        collected = CollectedFiles(source)
        source.close()
    return collected


@pytest.mark.parametrize("sector", [0, 1])
def test_head_of_a_drive_loses_only_the_sector_that_cannot_be_read(
    tmp_path: Path, image: Path, sector: int
) -> None:
    collected = back_up(image, tmp_path / "drive", sector)
    bad = Extent(sector * 512, 512)
    assert collected.unreadable == {"/disks/0/head.img": [bad]}
    expected = bytearray(image.read_bytes()[:MIB])
    expected[bad.start : bad.end] = bytes(512)
    assert collected.files["/disks/0/head.img"] == expected
    restore_disk(CollectedDisk(collected.files), target := tmp_path / "back.img")
    require_clean(target, tmp_path)
    assert target.read_bytes() == image.read_bytes()


def test_volume_loses_only_the_sector_that_cannot_be_read(tmp_path: Path, image: Path) -> None:
    sector = (2 * MIB - 1024) // 512
    collected = back_up(image, tmp_path / "drive", sector)
    part = "/disks/0/volumes/1/image/0000/part"
    bad = Extent(sector * 512 - MIB, 512)
    assert collected.unreadable == {part: [bad]}
    expected = bytearray(image.read_bytes()[MIB : 3 * MIB])
    expected[bad.start : bad.end] = bytes(512)
    assert collected.files[part] == expected
