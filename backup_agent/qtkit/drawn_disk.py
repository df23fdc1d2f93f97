"""A disk as a picture of it needs it: stretches in proportion, computed without any window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NARROWEST = 8
"""Pixels of even the smallest volume: what nobody sees, nobody asks about."""
_GAP = 2


@dataclass(frozen=True, slots=True)
class DrawnVolume:
    """``start`` and ``size`` in bytes; ``used`` is ``None`` where unknown. ``tone`` is 1 to 4."""

    words: str
    start: int
    size: int
    used: int | None
    tone: int


@dataclass(frozen=True, slots=True)
class DrawnDisk:
    """One disk. ``scale`` is the size of the longest disk it is compared with."""

    name: str
    size: int
    volumes: tuple[DrawnVolume, ...]
    scale: int = 0

    @property
    def words(self) -> str:
        """The picture for those who hear it."""
        inside = ", ".join(volume.words for volume in self.volumes)
        return f"{self.name}: {inside}" if inside else f"{self.name}: empty"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pixels from the left. ``used`` is the width of the used part. No ``volume``: unallocated."""

    left: int
    width: int
    used: int
    volume: DrawnVolume | None


def width_of(disk: DrawnDisk, pixels: int) -> int:
    """How wide the disk is where the longest one takes ``pixels``."""
    longest = max(disk.scale, disk.size, 1)
    return max(NARROWEST, disk.size * pixels // longest)


def stretches(disk: DrawnDisk, pixels: int) -> Iterator[Stretch]:
    """The picture from left to right, in ``pixels`` for the whole disk.

    Every volume gets at least :data:`NARROWEST`, taken from the wide ones.
    """
    pieces = list(_pieces(disk))
    room = max(0, pixels - _GAP * (len(pieces) - 1))
    widths = _widths([size for size, _ in pieces], room)
    left = 0
    for (size, volume), width in zip(pieces, widths, strict=True):
        used = 0
        if volume is not None:
            used = width if volume.used is None else width * min(volume.used, size) // max(size, 1)
        yield Stretch(left, width, used, volume)
        left += width + _GAP


def _pieces(disk: DrawnDisk) -> Iterator[tuple[int, DrawnVolume | None]]:
    """Volumes and the free room between them, without slivers of alignment."""
    sliver = disk.size // 200
    place = 0
    for volume in sorted(disk.volumes, key=lambda one: one.start):
        if volume.start - place > sliver:
            yield volume.start - place, None
        yield volume.size, volume
        place = max(place, volume.start + volume.size)
    if disk.size - place > sliver or not disk.volumes:
        yield max(disk.size - place, 1), None


def _widths(sizes: Sequence[int], room: int) -> list[int]:
    """In proportion, but none below the narrowest while there is room for that."""
    if room < NARROWEST * len(sizes):
        return [room // max(len(sizes), 1)] * len(sizes)
    widths = [0] * len(sizes)
    small: set[int] = set()
    while True:
        wide = [place for place in range(len(sizes)) if place not in small]
        total = sum(sizes[place] for place in wide) or 1
        rest = room - NARROWEST * len(small)
        for place in wide:
            widths[place] = sizes[place] * rest // total
        narrow = {place for place in wide if widths[place] < NARROWEST}
        if not narrow:
            return widths
        for place in narrow:
            widths[place] = NARROWEST
        small |= narrow
