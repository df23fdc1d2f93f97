"""A disk seen through the window of one volume, for who counts its used space.

Nothing is kept of what was read, and what is not there is an error, never fewer
bytes. Who looks into files reads through ``files.volume_bytes``.
"""

from __future__ import annotations

from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.reading import SeekableReader, read_at


@dataclass(frozen=True, slots=True)
class VolumeWindow:
    """A volume of ``size`` bytes from byte ``start`` of a disk on."""

    reader: SeekableReader
    start: int
    size: int

    def read(self, place: int, size: int) -> bytes:
        """``size`` bytes from byte ``place`` of the volume on.

        Raises :class:`SpaceUnknownError` where they do not lie in the volume;
        ``OSError`` of the reader comes through.
        """
        if place < 0 or size < 0 or place + size > self.size:
            raise SpaceUnknownError(f"It points to byte {place + size}, behind the volume's end.")
        data = read_at(self.reader, self.start + place, size)
        if len(data) < size:
            raise SpaceUnknownError(f"The disk ends within it, at byte {place + len(data)}.")
        return data
