"""Which of a disk's file systems are in use, out of ``/sys/block`` and ``/proc``.

A disk is in use when it, a partition of it, or anything built on those
(device-mapper, RAID, a loop device) is mounted or swapped to; a loop device also when
another one shows the same bytes of its file and that is. File systems on
several disks (btrfs) show a device number of their own in ``mountinfo``;
there, the mount's source tells.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from backup_agent.host.linux.loops import LoopDevices, first_line
from backup_agent.host.linux.mountinfo import Mounted, parse_mountinfo


class DiskUsage:
    """Asks below ``root``, which tests replace."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._loops = LoopDevices(root / "sys/block")
        self._numbers = root / "sys/dev/block"
        self._mountinfo = root / "proc/self/mountinfo"
        self._swaps = root / "proc/swaps"

    def of_device(self, number: str) -> list[str]:
        """Mount points and ``[swap]`` on the device with that number (``8:0``)."""
        return self._in_use(self._family(self._numbers / number))

    def of_image(self, path: Path) -> list[str]:
        """The same for an image file that loop devices show, or that FUSE mounts as it is."""
        loops = self._loops.over(str(path))
        places = self._in_use({number for loop in loops for number in self._family(loop)})
        own = (mount.place for mount in self._mounts() if _is_same_file(mount.source, path))
        return sorted({*places, *own})

    def attached_as(self, path: Path) -> list[str]:
        """The loop devices that show an image file, mounted or not."""
        return sorted(f"/dev/{loop.name}" for loop in self._loops.over(str(path)))

    def disk_around(self, number: str) -> str | None:
        """The device whose partition the one with that number is; ``None`` for what is none."""
        folder = (self._numbers / number).resolve()
        if not (folder / "partition").exists():
            return None
        # A slash in a device's name (cciss/c0d0) is a "!" there.
        return f"/dev/{folder.parent.name.replace('!', '/')}"

    def of_partition(self, number: str, partition: int) -> list[str]:
        """Of one partition of the device with that number."""
        return self._in_use(self._partition_family(self._numbers / number, partition))

    def of_image_partition(self, path: Path, partition: int) -> list[str]:
        """Of one partition of an image file that loop devices show."""
        loops = self._loops.over(str(path))
        return self._in_use({n for loop in loops for n in self._partition_family(loop, partition)})

    def _partition_family(self, device: Path, partition: int) -> set[str]:
        own = (
            entry.parent
            for entry in device.glob("*/partition")
            if first_line(entry) == str(partition)
        )
        return {number for folder in own for number in self._family(folder)}

    def _family(self, device: Path) -> set[str]:
        """The numbers of the device, of its partitions, and of all that is built on them.

        And of what shares bytes with those through a file, but not of the rest of such
        devices: a partition is not in use where its neighbour is.
        """
        numbers: set[str] = set()
        shared: set[str] = set()
        waiting = [device]
        while waiting:
            folder = waiting.pop()
            number = first_line(folder / "dev")
            if not number or number in numbers:
                continue
            numbers.add(number)
            waiting += [partition.parent for partition in folder.glob("*/partition")]
            for same in [folder, *self._loops.sharing(folder)]:
                shared.add(first_line(same / "dev"))
                waiting += same.glob("holders/*")
                waiting += self._loops.over(f"/dev/{same.resolve().name}")
        return (numbers | shared) - {""}

    def _in_use(self, numbers: set[str]) -> list[str]:
        places = [
            mount.place
            for mount in self._mounts()
            if mount.number in numbers or _device_number(mount.source) in numbers
        ]
        # The first line is a heading; a kernel built without swap has no such file.
        swaps = self._swaps.read_text().splitlines()[1:] if self._swaps.exists() else []
        places += ["[swap]" for line in swaps if _device_number(line.split()[0]) in numbers]
        return sorted(places)

    def _mounts(self) -> Iterator[Mounted]:
        return parse_mountinfo(self._mountinfo.read_text())


def device_number(path: str) -> str:
    """``major:minor`` of a block device. ``OSError`` comes through."""
    number = os.stat(path).st_rdev
    return f"{os.major(number)}:{os.minor(number)}"


def _device_number(path: str) -> str:
    if path.startswith("/"):
        with contextlib.suppress(OSError):
            return device_number(path)
    return ""


def _is_same_file(source: str, path: Path) -> bool:
    """By whatever name: ntfs-3g and its like name the image itself as what is mounted."""
    if not source.startswith("/"):
        return False
    try:
        return source == str(path) or os.path.samefile(source, path)
    except OSError:
        return False
