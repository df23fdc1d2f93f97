"""The files of a restored disk's volumes, through folders of this computer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from backup_agent.errors import UnsupportedError
from backup_agent.host.command import run
from backup_agent.model.disk import FileSystemKind

_SECONDS = 120.0
_SETTLE_SECONDS = 60
_TYPES = {
    FileSystemKind.NTFS: "ntfs-3g",
    FileSystemKind.FAT12: "vfat",
    FileSystemKind.FAT16: "vfat",
    FileSystemKind.FAT32: "vfat",
    FileSystemKind.EXT2: "ext4",
    FileSystemKind.EXT3: "ext4",
    FileSystemKind.EXT4: "ext4",
}
# Read-only must mean it: the journal is not replayed before anybody agreed to a plan.
_READ_ONLY = {"ext4": "ro,noload", "vfat": "ro", "ntfs-3g": "ro"}
# Windows' hibernated session would keep the volume read-only, and is of another time anyway.
_WRITABLE = {"ext4": "rw", "vfat": "rw", "ntfs-3g": "rw,remove_hiberfile"}


class VolumeFolders(Protocol):
    """Volumes by their number on the disk."""

    def folder(
        self, number: int, kind: FileSystemKind, *, writable: bool = False
    ) -> AbstractContextManager[Path]:
        """The volume's root while the context lasts; what was written is on the disk then.

        Raises :class:`~backup_agent.errors.CommandFailedError` where it cannot be mounted.
        """
        ...


class MountedVolumes:
    """The volumes of a disk of this computer; needs root."""

    def __init__(self, disk: str) -> None:
        self._disk = disk

    @contextmanager
    def folder(
        self, number: int, kind: FileSystemKind, *, writable: bool = False
    ) -> Iterator[Path]:
        known = _TYPES.get(kind)
        if known is None:
            raise UnsupportedError(f"Volume {number} cannot be looked into.")
        options = (_WRITABLE if writable else _READ_ONLY)[known]
        device = partition_device(self._disk, number)
        _let_udev_finish()
        with tempfile.TemporaryDirectory(prefix="everboot-volume-") as place:
            command = ["mount", "-t", known, "-o", options, device, place]
            run(command, timeout_seconds=_SECONDS)
            try:
                yield Path(place)
            finally:
                run(["umount", place], timeout_seconds=_SECONDS)


def _let_udev_finish() -> None:
    """Of whatever is written to, udev has the partition table read anew: until it is through, the
    partitions go and come back. What it cannot finish in time must not keep us from trying.
    """
    run(
        ["udevadm", "settle", f"--timeout={_SETTLE_SECONDS}"],
        timeout_seconds=_SECONDS,
        also_good=(1,),
    )


def partition_device(disk: str, number: int) -> str:
    """The device of a partition, as Linux names it; number 0 is an undivided disk's volume."""
    if number == 0:
        return disk
    # /dev/nvme0n1p2, but /dev/sda2
    return f"{disk}p{number}" if disk[-1].isdigit() else f"{disk}{number}"


def find_below(folder: Path, *names: str) -> Path | None:
    """A file or folder below, whatever the case of its names: to Windows and firmware all the same.

    Of several that differ only in case, the one written as asked for, else the first.
    """
    for name in names:
        try:
            fitting = sorted(one for one in folder.iterdir() if one.name.lower() == name.lower())
        except (NotADirectoryError, FileNotFoundError):
            return None
        if not fitting:
            return None
        folder = next((one for one in fitting if one.name == name), fitting[0])
    return folder
