"""Disks as the engine plans them, made ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from backup_agent.qtkit import words
from backup_agent.qtkit.drawn_disk import DrawnDisk, DrawnVolume
from backup_agent.services.restore_disk import DiskPicture
from rescue_media.flow.values import StoredDisk, StoredVolume

_SMALL = 4_000_000_000
"""Bytes; what is smaller helps to start or repair and is drawn in grey."""
_TONES = (1, 2, 3)
_HELPER_TONE = 4


def drawn(
    name: str, picture: DiskPicture, *, scale: int, stored: Sequence[StoredVolume] = ()
) -> DrawnDisk:
    """``stored`` knows names and used bytes of the volumes, by number."""
    known = {volume.number: volume for volume in stored}
    tones = _tones([(one.number, one.extent.size) for one in picture.placed])
    volumes = []
    for one in picture.placed:
        volume = known.get(one.number)
        title = volume.name if volume else one.words
        used = volume.used if volume else 0
        volumes.append(
            DrawnVolume(
                _words(title, used, one.extent.size),
                one.extent.start,
                one.extent.size,
                used,
                tones[one.number],
            )
        )
    return DrawnDisk(name, picture.size, tuple(volumes), scale)


def drawn_stored(disk: StoredDisk, *, scale: int) -> DrawnDisk:
    """A disk as it was when it was backed up."""
    tones = _tones([(volume.number, volume.size) for volume in disk.volumes])
    return DrawnDisk(
        f"Disk {disk.number}",
        disk.size,
        tuple(
            DrawnVolume(_words(v.name, v.used, v.size), v.start, v.size, v.used, tones[v.number])
            for v in disk.volumes
        ),
        scale,
    )


def _words(name: str, used: int | None, size: int) -> str:
    held = f"{words.size(used)} of " if used else ""
    return f"{name}\n{held}{words.size(size)}"


def _tones(volumes: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Number -> tone: the large ones in turn, the same in every picture of that disk."""
    large = [number for number, size in volumes if size >= _SMALL]
    large = large or [max(volumes, key=lambda one: one[1])[0]] if volumes else large
    tones = {number: _HELPER_TONE for number, _ in volumes}
    for place, number in enumerate(large):
        tones[number] = _TONES[place % len(_TONES)]
    return tones
