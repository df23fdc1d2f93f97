"""The files of FAT and exFAT volumes, as other people's programs put them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.model.disk import FileSystemKind
from backup_agent.model.node import NodeKind
from tests.helpers.disk_images import MIB, run_tool
from tests.helpers.foreign_volumes import (
    harvest,
    make_empty,
    mounted_exfat,
    open_files,
    survey,
)
from tests.integration.files_in_volumes.contents import (
    NAMES,
    NOISE,
    as_root,
    fill,
    fragment,
)


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [("fat12", 3, ["-F12"]), ("fat16", 24, ["-F16"]), ("fat32", 48, ["-F32", "-s1"])],
)
def test_every_file_of_a_fat_volume_is_as_mtools_put_it(
    tmp_path: Path, kind: str, size: int, options: list[str]
) -> None:
    volume = make_empty(tmp_path / "volume", size * MIB, "mkfs.fat", *options)
    folder = tmp_path / "folder"
    folder.mkdir()
    fill_for_fat(folder)
    for name in sorted(os.listdir(folder)):
        run_tool("mcopy", "-s", "-m", "-Q", "-i", volume, folder / name, "::")
    truth = survey(folder)
    in_volume = harvest(open_files(volume, FileSystemKind(kind)))
    assert in_volume.keys() == truth.keys()
    for path, known in truth.items():
        there = in_volume[path]
        assert (there.kind, there.size, there.content) == (known.kind, known.size, known.content)
        if known.kind is NodeKind.FILE:
            # Two seconds are as fine as FAT's times get.
            assert abs(there.mtime_seconds - known.mtime_seconds) < 2


def fill_for_fat(folder: Path) -> None:
    """Names in mtools' reach; deleted and rewritten, so that chains have gaps."""
    (folder / "LONG NAME with Case.txt").write_bytes(NOISE[:70_000])
    (folder / "SHORT.TXT").write_bytes(b"short")
    (folder / "lower.txt").write_bytes(b"lower")
    (folder / "MIXED.txt").write_bytes(b"mixed")
    (folder / "empty").write_bytes(b"")
    (folder / ("n" * 200)).write_bytes(b"a name of 17 entries")
    (folder / "Folder").mkdir()
    (folder / "Folder" / "within").mkdir()
    (folder / "Folder" / "within" / "noise").write_bytes(NOISE[: MIB + 5])
    for number in range(150):
        (folder / "Folder" / f"file number {number}").write_bytes(b"%d" % number)


@pytest.mark.root
@as_root
def test_every_file_of_an_exfat_volume_is_as_its_driver_has_it(tmp_path: Path) -> None:
    volume = make_empty(tmp_path / "volume", 48 * MIB, "mkfs.exfat", "-c", "4096")
    with mounted_exfat(volume, tmp_path / "mounted") as folder:
        fill(folder, [*NAMES, "Mixed Case"])
        fragment(folder)
    with mounted_exfat(volume, tmp_path / "mounted") as folder:
        truth = survey(folder)
    in_volume = harvest(open_files(volume, FileSystemKind.EXFAT))
    assert in_volume.keys() == truth.keys()
    for path, known in truth.items():
        there = in_volume[path]
        assert (there.kind, there.size, there.content) == (known.kind, known.size, known.content)
        assert abs(there.mtime_seconds - known.mtime_seconds) < 2
