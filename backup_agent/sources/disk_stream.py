"""What the backup service reads of a disk: stretches of it, and texts about it, as files."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.chunking.fixed import BLOCK
from backup_agent.model.disk import Extent, Volume, joined
from backup_agent.model.used_space import UsedSpace
from backup_agent.sources.disk_reader import DiskReader
from backup_agent.sources.entry import Chunking
from backup_agent.sources.file_finder import FileFinder

# A failing disk can have thousands of bad ranges; the omission lists all of them as numbers.
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class UsedVolume:
    """A volume with the account of its used space, if there is one."""

    volume: Volume
    space: UsedSpace | None = None

    def extents(self, start: int, end: int) -> Iterator[Extent]:
        """What of those bytes of the disk is used, in order."""
        if self.space is None:
            yield Extent(start, end - start)
            return
        origin = self.volume.start
        for extent in self.space.extents(start - origin, end - origin):
            yield Extent(origin + extent.start, extent.size)

    def next_used(self, place: int, end: int) -> int:
        """The first used byte of the disk from ``place`` to ``end``."""
        if self.space is None:
            return place
        return min(self.volume.start + self.space.next_used(place - self.volume.start), end)


class DiskStream:
    """A stretch of a disk as the content of one file. What no file system uses is zeros, unread."""

    chunking = Chunking.FIXED

    def __init__(
        self,
        reader: DiskReader,
        extent: Extent,
        *,
        sector_size: int,
        used: UsedVolume | None = None,
        finder: FileFinder | None = None,
    ) -> None:
        """``used`` is the volume it lies in; ``finder`` tells the files that bad sectors hit."""
        self._reader = reader
        self._extent = extent
        self._sector_size = sector_size
        self._used = used
        self._finder = finder
        self._done = 0
        self._unreadable: list[Extent] = []

    def skip_zeros(self) -> int:
        if self._done % BLOCK:
            return 0
        place = self._extent.start + self._done
        count = (self._next_needed(place) - place) // BLOCK * BLOCK
        self._done += count
        return count

    def readinto(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._extent.size - self._done)
        place = self._extent.start + self._done
        count = min(BLOCK, wanted)
        while count < wanted and self._next_needed(place + count) < place + count + BLOCK:
            count = min(count + BLOCK, wanted)
        filled = place
        for extent in (
            self._used.extents(place, place + count) if self._used else [Extent(place, count)]
        ):
            buffer[filled - place : extent.start - place] = bytes(extent.start - filled)
            piece = buffer[extent.start - place : extent.end - place]
            for bad in self._reader.fill(extent.start, piece):
                self._unreadable.append(Extent(bad.start - self._extent.start, bad.size))
            filled = extent.end
        buffer[filled - place : count] = bytes(place + count - filled)
        self._done += count
        return count

    def changed(self) -> str:
        return self._reader.changed(self._used.volume.number if self._used else None)

    def unreadable(self) -> list[Extent]:
        return list(joined(self._unreadable))

    def damage(self) -> str:
        bad = [Extent(self._extent.start + e.start, e.size) for e in self.unreadable()]
        if not bad:
            return ""
        size = self._sector_size
        sectors = [f"{e.start // size}-{(e.end - 1) // size}" for e in bad]
        words = f"On {self._reader.disk.path}, these are sectors {_listed(sectors)}."
        if self._used is not None and self._finder is not None:
            volume = self._used.volume
            inside = [Extent(e.start - volume.start, e.size) for e in bad]
            if files := self._reader.find_files(self._finder, volume, inside):
                words += f" Files in them: {_listed(files)}."
        return words

    def close(self) -> None:
        """Nothing: the reader serves all of a disk's streams and is the source's to close."""

    def _next_needed(self, place: int) -> int:
        """The first byte from ``place`` on that only reading can tell, or the end."""
        end = self._extent.end
        while place < end:
            used = self._used.next_used(place, end) if self._used else place
            data = self._reader.next_data(used, end)
            if data == used:
                return used
            place = data
        return end


def _listed(items: Sequence[str]) -> str:
    words = ", ".join(items[:_MOST_NAMED])
    rest = len(items) - _MOST_NAMED
    return f"{words} and {rest} more" if rest > 0 else words


class TextStream:
    """A small file that exists only in memory."""

    chunking = Chunking.CONTENT

    def __init__(self, data: bytes, *, doubt: str = "") -> None:
        """``doubt`` is why what it tells may not be the whole truth."""
        self._file = io.BytesIO(data)
        self._doubt = doubt

    def readinto(self, buffer: memoryview) -> int:
        return self._file.readinto(buffer)

    def changed(self) -> str:
        return self._doubt

    def unreadable(self) -> list[Extent]:
        return []

    def close(self) -> None:
        self._file.close()
