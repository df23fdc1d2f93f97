"""The small computer that the demo protects: a disk image, divided as Windows does it.

::

    1 MiB     100 MiB   EFI system partition, FAT32: the boot loader
    101 MiB    16 MiB   reserved by Microsoft: nothing
    117 MiB   512 MiB   Windows, NTFS: programs, somebody's files, a database, the page file
    629 MiB    64 MiB   Windows' recovery, NTFS

It is made without root. ``wimlib-imagex`` writes a whole folder into an NTFS
volume, ``ntfscp`` single files, in place.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from backup_agent.model.disk import Extent
from backup_agent.services.demo.made_up import random_source
from backup_agent.services.demo.tools import run_tool
from backup_agent.services.demo.volume_file import changed_in
from backup_agent.services.demo.windows import (
    DATABASE,
    EDITED,
    PAGE_FILE,
    changed_files,
    write_boot_files,
    write_recovery,
    write_windows,
)

_MIB = 1 << 20
DISK_SIZE = 694 * _MIB
LARGER_SIZE = 1024 * _MIB
SMALLER_SIZE = 480 * _MIB
PAGE_FILE_SIZE = 48 * _MIB
WINDOWS_VOLUME = 3

_EFI = Extent(1 * _MIB, 100 * _MIB)
_RESERVED = Extent(101 * _MIB, 16 * _MIB)
_WINDOWS = Extent(117 * _MIB, 512 * _MIB)
_RECOVERY = Extent(629 * _MIB, 64 * _MIB)

# Types as Microsoft gives them; the attributes keep the recovery partition from a drive letter.
_TABLE = """\
label: gpt
{efi}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="EFI system partition"
{reserved}, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE, name="Microsoft reserved partition"
{windows}, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name="Basic data partition"
{recovery}, type=DE94BBA4-06D1-4D40-A16A-BFD50179D6AC, attrs="RequiredPartition GUID:63"
"""

_WriteFiles: TypeAlias = Callable[[Path, random.Random], None]


@dataclass(frozen=True, slots=True)
class DayOfWork:
    """What changed on the disk. ``bytes_written`` into files, of the ``bytes_total`` it has."""

    paths: tuple[str, ...]
    bytes_written: int
    bytes_total: int


def make_computer(image: Path, *, seed: int) -> None:
    """Divide the image and fill its volumes; works beside the image. Raises ``HostError``."""
    source = random_source(seed)
    with open(image, "wb") as file:
        file.truncate(DISK_SIZE)
    _divide(image)
    _make_fat(image, _EFI, _files(image, write_boot_files, source))
    _make_ntfs(image, _WINDOWS, "Windows", _files(image, write_windows, source))
    _make_ntfs(image, _RECOVERY, "Recovery", _files(image, write_recovery, source))
    with changed_in(image, _WINDOWS) as volume:
        _write_file(volume, PAGE_FILE, source.randbytes(PAGE_FILE_SIZE))


def change_computer(image: Path, *, seed: int) -> DayOfWork:
    """Change some of Windows' files as a day of work does. Raises ``HostError``."""
    paths: list[str] = []
    written = 0
    with changed_in(image, _WINDOWS) as volume:
        letter, database = (
            run_tool("ntfscat", str(volume), path).output for path in (EDITED, DATABASE)
        )
        for path, content, size in changed_files(letter, database, random_source(seed)):
            _write_file(volume, path, content)
            paths.append(path)
            written += size
    return DayOfWork(tuple(paths), written, DISK_SIZE)


def _divide(image: Path) -> None:
    places = {"efi": _EFI, "reserved": _RESERVED, "windows": _WINDOWS, "recovery": _RECOVERY}
    table = _TABLE.format_map(
        {
            name: f"start={place.start // _MIB}MiB, size={place.size // _MIB}MiB"
            for name, place in places.items()
        }
    )
    run_tool("sfdisk", "--quiet", "--no-tell-kernel", str(image), feed=table.encode())


def _files(image: Path, write: _WriteFiles, source: random.Random) -> Path:
    """A folder beside the image; whoever puts it into a volume removes it."""
    folder = image.with_name("files")
    write(folder, source)
    return folder


def _make_fat(image: Path, place: Extent, files: Path) -> None:
    with changed_in(image, place) as volume:
        run_tool("mkfs.fat", "-F", "32", "-n", "EFI", "-h", _first_sector(place), str(volume))
        run_tool("mcopy", "-s", "-i", str(volume), str(files / "EFI"), "::/")
    shutil.rmtree(files)


def _make_ntfs(image: Path, place: Extent, label: str, files: Path) -> None:
    packed = image.with_name("files.wim")
    run_tool("wimlib-imagex", "capture", str(files), str(packed), "--compress=none")
    shutil.rmtree(files)
    with changed_in(image, place) as volume:
        run_tool(
            *("mkntfs", "--force", "--quick", "--quiet", "--label", label),
            *("--partition-start", _first_sector(place), "--sectors-per-track", "63"),
            *("--heads", "255", "--sector-size", "512", str(volume)),
        )
        run_tool("wimlib-imagex", "apply", str(packed), str(volume))
    packed.unlink()


def _write_file(volume: Path, path: str, content: bytes) -> None:
    """A new file, or the content of an old one, whose blocks are written over."""
    file = volume.with_name("content")
    file.write_bytes(content)
    run_tool("ntfscp", "--force", "--quiet", str(volume), str(file), path)
    file.unlink()


def _first_sector(place: Extent) -> str:
    """Which the volume notes down itself; Windows' boot code looks there."""
    return str(place.start // 512)
