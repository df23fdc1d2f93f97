"""Whether a restored disk is what it was, as programs see it that are not ours.

``sfdisk`` reads and checks the partition table, ``ntfsresize`` and ``fsck.fat``
the file systems; ``wimlib-imagex`` and ``mcopy`` bring out every file, and a
picture is taken of those. Two disks of different size hold the same if the
pictures of all their volumes are equal. The page file does not count:
``wimlib-imagex`` leaves it where it is, as we do.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from backup_agent.model.disk import Extent
from backup_agent.services.demo.proof import Picture, failed, require_same, take_picture
from backup_agent.services.demo.tools import run_tool
from backup_agent.services.demo.volume_file import take_out

DiskContent: TypeAlias = Mapping[int, Picture]
"""All files of each volume that has a file system, by the volume's number."""

# (offset in the first sector, mark)
_NTFS_MARK = (3, b"NTFS    ")
_FAT_MARK = (82, b"FAT32   ")
_SECTOR = 512


def read_disk(image: Path, room: Path) -> DiskContent:
    """Look at every file on a disk image; ``room`` is a folder that is made and removed.

    Raises ``IntegrityError`` and ``HostError`` with the words of a tool that finds something
    wrong.
    """
    _require_sound_table(image)
    room.mkdir()
    try:
        content: dict[int, Picture] = {}
        for number, place in _partitions(image):
            volume, files = room / f"{number}.img", room / f"{number}"
            take_out(image, place, volume)
            if _bring_out_files(volume, files):
                content[number] = take_picture(files)
            volume.unlink()
        return content
    finally:
        shutil.rmtree(room)


def require_same_disk(truth: DiskContent, met: DiskContent, image: Path) -> int:
    """How many items were compared. Raises ``IntegrityError`` where the disks are not the same."""
    for number in sorted(truth.keys() | met.keys()):
        what = f"Files in volume {number} of {image}"
        require_same(truth.get(number, {}), met.get(number, {}), what=what)
    return sum(map(len, truth.values()))


def _require_sound_table(image: Path) -> None:
    """A table of which only one copy is right is no failure to sfdisk: it warns."""
    found = run_tool("sfdisk", "--verify", str(image))
    if found.errors or b"No errors detected" not in found.output:
        words = found.errors.strip() or found.output.decode(errors="replace").strip()
        raise failed(f"The partition table of {image} is not sound: {words}")


def _partitions(image: Path) -> Iterator[tuple[int, Extent]]:
    table = json.loads(run_tool("sfdisk", "--json", str(image)).output)["partitiontable"]
    for number, partition in enumerate(table["partitions"], start=1):
        yield number, Extent(partition["start"] * _SECTOR, partition["size"] * _SECTOR)


def _bring_out_files(volume: Path, folder: Path) -> bool:
    """Copy all files into a new folder; false where no file system is."""
    with open(volume, "rb") as file:
        boot = file.read(_SECTOR)
    if _has(boot, _NTFS_MARK):
        _bring_out_of_ntfs(volume, folder)
    elif _has(boot, _FAT_MARK):
        run_tool("fsck.fat", "-n", str(volume))
        folder.mkdir()
        run_tool("mcopy", "-s", "-m", "-i", str(volume), "::/*", str(folder))
        # FAT knows no time of its root, and mcopy brings no folder's.
        for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            os.utime(path, (0, 0))
    else:
        return False
    return True


def _bring_out_of_ntfs(volume: Path, folder: Path) -> None:
    run_tool("ntfsresize", "--check", str(volume))
    packed = volume.with_suffix(".wim")
    run_tool("wimlib-imagex", "capture", str(volume), str(packed), "--compress=none")
    run_tool("wimlib-imagex", "apply", str(packed), str(folder))
    packed.unlink()


def _has(boot: bytes, mark: tuple[int, bytes]) -> bool:
    offset, text = mark
    return boot[offset : offset + len(text)] == text
