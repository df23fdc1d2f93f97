"""Disk images of small computers, with real files in real file systems."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from backup_agent.host.select import current_host
from backup_agent.sources.disk import open_disk_source
from tests.helpers.disk_checks import cut_out, examine, hash_in_volume
from tests.helpers.disk_images import MIB, make_disk, place
from tests.helpers.stored_disk import CollectedDisk, CollectedFiles
from tests.helpers.volumes import make_file_system, put_ext, put_fat, put_ntfs

DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
RECOVERY = "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"

WINDOWS_GPT = f"""\
label: gpt
start=1MiB, size=8MiB, type=U, name="EFI system partition"
start=9MiB, size=1MiB, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, name="Microsoft reserved"
start=10MiB, size=72MiB, type={DATA}, name="Basic data partition"
start=82MiB, size=12MiB, type={RECOVERY}, name="Recovery", attrs="RequiredPartition GUID:63"
"""
WINDOWS_MBR = """\
label: dos
label-id: 0xcafe1234
start=1MiB, size=8MiB, type=7, bootable
start=9MiB, size=72MiB, type=7
start=82MiB, size=12MiB, type=27
"""
LINUX_GPT = """\
label: gpt
start=1MiB, size=8MiB, type=U
start=9MiB, size=80MiB, type=L, name="root"
"""
LINUX_MBR = """\
label: dos
label-id: 0x0badcafe
start=1MiB, size=16MiB, type=83, bootable
start=17MiB, size=78MiB, type=f
start=18MiB, size=8MiB, type=c
start=27MiB, size=66MiB, type=83
"""
LINUX_MBR_SWAP = """\
label: dos
label-id: 0x0badcafe
start=1MiB, size=80MiB, type=83, bootable
start=82MiB, size=13MiB, type=5
start=83MiB, size=12MiB, type=82
"""

NTFS = ("mkntfs", "-qfF", "-L", "Windows")
FAT = ("mkfs.fat", "-n", "BOOT")
EXT4 = ("mkfs.ext4", "-q", "-L", "root")
# What mkfs chooses for volumes above 512 MiB; it gives small ones blocks of 1 KiB.
EXT4_LARGE = (*EXT4, "-b", "4096")
_PUT = {"mkntfs": put_ntfs, "mkfs.fat": put_fat, "mkfs.ext4": put_ext}


@dataclass(frozen=True, slots=True)
class SmallComputer:
    """An image, and the SHA-256 of the file ``file.bin`` in each of its volumes by number."""

    image: Path
    hashes: dict[int, str]

    def stored(self) -> CollectedDisk:
        """A backup of it, in memory."""
        source = open_disk_source(current_host(), [str(self.image)], part_size=32 * MIB)
        files = CollectedFiles(source).files
        source.close()
        return CollectedDisk(files)

    def require_files(self, image: Path, scratch: Path, *, without: int | None = None) -> None:
        """Every volume's file has come back."""
        volumes = examine(image).volumes
        for number, digest in self.hashes.items():
            if number == without:
                continue
            volume = volumes[number]
            path = cut_out(image, volume, scratch / f"again{number}")
            assert hash_in_volume(path, volume, "file.bin", scratch / "file") == digest


CASES: dict[str, tuple[str, dict[int, tuple[int, int, tuple[str, ...]]]]] = {
    "windows-gpt": (
        WINDOWS_GPT,
        {1: (1, 8, FAT), 3: (10, 72, NTFS), 4: (82, 12, (*NTFS[:-1], "Recovery"))},
    ),
    "windows-mbr": (
        WINDOWS_MBR,
        {1: (1, 8, NTFS), 2: (9, 72, NTFS), 3: (82, 12, (*NTFS[:-1], "Recovery"))},
    ),
    "linux-gpt": (LINUX_GPT, {1: (1, 8, FAT), 2: (9, 80, EXT4)}),
    "linux-gpt-ext": (LINUX_GPT, {1: (1, 8, EXT4_LARGE), 2: (9, 80, EXT4_LARGE)}),
    "linux-mbr-swap": (LINUX_MBR_SWAP, {1: (1, 80, EXT4)}),
    "linux-mbr": (LINUX_MBR, {1: (1, 16, EXT4), 5: (18, 8, FAT), 6: (27, 66, EXT4)}),
}
"""Name -> sfdisk script; number -> start and size in MiB, and what makes the file system."""


def make_small_computer(folder: Path, case: str, *, size: int = 96 * MIB) -> SmallComputer:
    """Boot code, a stage in the gap behind it, and in each volume a file of 1 to 3 MiB."""
    script, volumes = CASES[case]
    image = make_disk(folder / "disk.img", size, script)
    place(image, 0, b"boot code")
    place(image, MIB // 2, b"second stage of the boot loader")
    hashes: dict[int, str] = {}
    for number, (start, length, command) in volumes.items():
        volume = make_file_system(folder / "volume", length * MIB, *command)
        content = random.Random(number).randbytes(min(3, length // 6) * MIB + 12345)
        file = folder / "content"
        file.write_bytes(content)
        _PUT[command[0]](volume, file, "file.bin")
        place(image, start * MIB, volume.read_bytes())
        hashes[number] = hashlib.sha256(content).hexdigest()
    return SmallComputer(image, hashes)
