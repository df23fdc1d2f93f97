"""Bad sectors are told by the names of the files that they hit."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import ignore
from backup_agent.repository.repository import create_repository
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.services.hit_files import find_hit_files
from backup_agent.sources.disk import open_disk_source
from backup_agent.storage.memory import MemoryBackend
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.fake_host import FakeHost
from tests.helpers.foreign_volumes import make_empty, mounted_exfat, mounted_ntfs
from tests.points import WEAK

HIT, WHOLE, STREAM = (random.Random(seed).randbytes(300_000) for seed in range(3))
SECTOR = 4096

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")


def fill(folder: Path) -> None:
    (folder / "Photos").mkdir()
    (folder / "Photos" / "hit.jpg").write_bytes(HIT)
    (folder / "Photos" / "whole.jpg").write_bytes(WHOLE)


def ntfs(volume: Path, scratch: Path) -> Path:
    make_empty(volume, 16 * MIB, "mkntfs", "-Q", "-F")
    with mounted_ntfs(volume, scratch / "mounted") as folder:
        fill(folder)
        (folder / "Photos" / "whole.jpg:kept beside").write_bytes(STREAM)
    return volume


def ext4(volume: Path, scratch: Path) -> Path:
    (scratch / "folder").mkdir()
    fill(scratch / "folder")
    return make_empty(volume, 16 * MIB, "mkfs.ext4", "-q", "-d", str(scratch / "folder"))


def fat(volume: Path, scratch: Path) -> Path:
    (scratch / "folder").mkdir()
    fill(scratch / "folder")
    make_empty(volume, 16 * MIB, "mkfs.fat")
    run_tool("mcopy", "-s", "-i", volume, scratch / "folder" / "Photos", "::")
    return volume


def exfat(volume: Path, scratch: Path) -> Path:
    make_empty(volume, 16 * MIB, "mkfs.exfat")
    with mounted_exfat(volume, scratch / "mounted") as folder:
        fill(folder)
    return volume


def back_up(volume: Path, bad: Extent) -> BackupResult:
    source = open_disk_source(FakeHost(bad=[bad]), [str(volume)], finder=find_hit_files)
    repository = create_repository(MemoryBackend(), "hits", parameters=WEAK)
    try:
        return run_backup(repository, source, BackupSettings(), emit=ignore, cancel=CancelToken())
    finally:
        source.close()


@as_root
@pytest.mark.parametrize("make", [ntfs, ext4, fat, exfat])
def test_the_file_on_bad_sectors_is_named(
    tmp_path: Path, make: Callable[[Path, Path], Path]
) -> None:
    volume = make(tmp_path / "volume", tmp_path)
    place = volume.read_bytes().index(HIT[100_000:110_000])
    bad = Extent(place // SECTOR * SECTOR + SECTOR, SECTOR)
    (omission,) = back_up(volume, bad).omissions
    assert omission.reason.endswith("Files in them: /Photos/hit.jpg.")


@as_root
def test_the_stream_of_an_ntfs_file_is_named(tmp_path: Path) -> None:
    volume = ntfs(tmp_path / "volume", tmp_path)
    place = volume.read_bytes().index(STREAM[20_000:30_000])
    bad = Extent(place // SECTOR * SECTOR + SECTOR, SECTOR)
    (omission,) = back_up(volume, bad).omissions
    assert omission.reason.endswith("Files in them: /Photos/whole.jpg:kept beside.")


@as_root
def test_nobody_is_named_where_the_file_system_cannot_be_read(tmp_path: Path) -> None:
    volume = ext4(tmp_path / "volume", tmp_path)
    disk = current_host().disk(str(volume))
    source = open_disk_source(current_host(), [str(volume)])
    (found,) = source.disks[0].volumes
    source.close()
    damaged = bytearray(volume.read_bytes())
    damaged[1024:] = bytes(len(damaged) - 1024)
    volume.write_bytes(damaged)
    with current_host().open_disk(disk) as file:
        assert find_hit_files(file, found.volume, [Extent(0, disk.size)]) == ()
