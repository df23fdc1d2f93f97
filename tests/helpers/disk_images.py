"""Small disk images, made by the system's own tools."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

MIB = 1 << 20

_PACKAGES = {
    "fdisk": "fdisk",
    "sfdisk": "fdisk",
    "sgdisk": "gdisk",
    "mkfs.fat": "dosfstools",
    "fatlabel": "dosfstools",
    "mkfs.exfat": "exfatprogs",
    "mkfs.ext2": "e2fsprogs",
    "mkfs.ext3": "e2fsprogs",
    "mkfs.ext4": "e2fsprogs",
    "fsck.fat": "dosfstools",
    "mcopy": "mtools",
    "mdel": "mtools",
    "mmd": "mtools",
    "dump.exfat": "exfatprogs",
    "fsck.exfat": "exfatprogs",
    "mke2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "dumpe2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mkntfs": "ntfs-3g",
    "ntfscp": "ntfs-3g",
    "ntfsinfo": "ntfs-3g",
    "ntfsfix": "ntfs-3g",
    "ntfsresize": "ntfs-3g",
    "mkswap": "util-linux",
    "blkid": "util-linux",
    "cryptsetup": "cryptsetup-bin",
    "grub-mkimage": "grub-common",
    "unsquashfs": "squashfs-tools",
}
# Debian keeps these tools where only root's PATH looks; messages are compared in English.
_ENVIRONMENT = {
    **os.environ,
    "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
    "LC_ALL": "C.UTF-8",
}


def run_tool(*command: str | Path, feed: str = "") -> str:
    """The tool's standard output; where it is not installed, the test fails and names the package.

    A skip would let what it tests vanish unnoticed.
    """
    name = str(command[0])
    if not shutil.which(name, path=_ENVIRONMENT["PATH"]):
        pytest.fail(f"needs {name} (Debian package {_PACKAGES.get(name, name)})")
    done = subprocess.run(
        command, input=feed, capture_output=True, text=True, env=_ENVIRONMENT, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def make_disk(path: Path, size: int, script: str, *, sector_size: int = 512) -> Path:
    """An image divided as the sfdisk script says."""
    with open(path, "wb") as file:
        file.truncate(size)
    if sector_size == 512:
        run_tool("sfdisk", "--quiet", "--no-tell-kernel", path, feed=script)
    else:
        # sfdisk takes an image's sectors for 512 bytes; fdisk can be told, and loads its scripts.
        script_file = path.with_suffix(".sfdisk")
        script_file.write_text(script)
        run_tool("fdisk", "-b", str(sector_size), path, feed=f"I\n{script_file}\nw\n")
    return path


def sfdisk_table(path: Path) -> Mapping[str, Any]:
    """What sfdisk reads there."""
    table: Mapping[str, Any] = json.loads(run_tool("sfdisk", "--json", path))["partitiontable"]
    return table


def make_volume(scratch: Path, size: int, command: Sequence[str]) -> bytes:
    """A file system of that size, made by the command, to which the path is appended."""
    with open(scratch, "wb") as file:
        file.truncate(size)
    run_tool(*command, scratch)
    return scratch.read_bytes()


def place(image: Path, start: int, data: bytes) -> None:
    """Write bytes into an image."""
    with open(image, "r+b") as file:
        file.seek(start)
        file.write(data)


def reseal_gpt(disk: bytearray, *, sector_size: int = 512) -> None:
    """Make both GPT copies' checksums right again, where their headers still say what to sum."""
    for header in (sector_size, len(disk) - sector_size):
        first, count, size = struct.unpack_from("<QII", disk, header + 72)
        if count * size <= len(disk) and first * sector_size <= len(disk):
            start = first * sector_size
            struct.pack_into("<I", disk, header + 88, crc32(disk[start : start + count * size]))
        (header_size,) = struct.unpack_from("<I", disk, header + 12)
        if header_size <= sector_size:
            struct.pack_into("<I", disk, header + 16, 0)
            struct.pack_into("<I", disk, header + 16, crc32(disk[header : header + header_size]))
