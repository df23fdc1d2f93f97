"""Loop devices: which bytes of which file each of them shows, out of ``/sys/block``.

Nothing in Linux keeps several of them off the same file. To write to one is to write
under whatever is mounted from another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_SECTOR = 512
"""What the kernel counts in there, whatever a device's own sectors."""

_FileId: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """The bytes of a file that a device shows; ``end`` is ``None`` where that is not known."""

    file: _FileId
    start: int
    end: int | None

    def shares(self, other: _Window) -> bool:
        return (
            self.file == other.file
            and (self.end is None or other.start < self.end)
            and (other.end is None or self.start < other.end)
        )


class LoopDevices:
    """``block`` is the folder ``/sys/block``; devices and partitions are folders in it."""

    def __init__(self, block: Path) -> None:
        self._block = block

    def over(self, path: str) -> list[Path]:
        """Those that show that file or device, or a part of it, under whatever name."""
        file = _identify(path)
        return [loop for loop, backing in self._all() if backing == file]

    def sharing(self, device: Path) -> list[Path]:
        """Loop devices, and partitions of some, that show bytes this one shows, too."""
        device = device.resolve()
        windows = dict(self._windows())
        own = windows.get(device)
        if own is None:
            return []
        return [other for other, window in windows.items() if window.shares(own)]

    def _windows(self) -> Iterator[tuple[Path, _Window]]:
        for loop, file in self._all():
            folder = loop.resolve()
            start = _number(folder / "loop/offset") or 0
            yield folder, _window(folder, file, start)
            for partition in folder.glob("*/partition"):
                inside = start + (_number(partition.parent / "start") or 0) * _SECTOR
                yield partition.parent, _window(partition.parent, file, inside)

    def _all(self) -> Iterator[tuple[Path, _FileId]]:
        for backing in self._block.glob("loop*/loop/backing_file"):
            if path := first_line(backing):
                yield backing.parent.parent, _identify(path)


def first_line(path: Path) -> str:
    """Empty for a file that is not there, or has gone meanwhile."""
    try:
        return path.read_text().partition("\n")[0]
    except OSError:
        return ""


def _window(folder: Path, file: _FileId, start: int) -> _Window:
    sectors = _number(folder / "size")
    return _Window(file, start, None if sectors is None else start + sectors * _SECTOR)


def _number(path: Path) -> int | None:
    text = first_line(path)
    return int(text) if text.isdecimal() else None


def _identify(path: str) -> _FileId:
    """What a file is known by under all its names; the path, where it has been deleted."""
    try:
        status = os.stat(path)
    except OSError:
        return ("path", path)
    return ("file", status.st_dev, status.st_ino)
