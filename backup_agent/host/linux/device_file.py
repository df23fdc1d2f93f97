"""A block device for reading, past sectors that cannot be read.

The system reads devices by pages of 4 KiB, and one bad sector takes the other seven
with it. Asked to go past the page cache (``O_DIRECT``), it reads sector by sector.
"""

from __future__ import annotations

import io
import mmap
import os

from backup_agent.model.disk import Extent

# The entries of a GPT, as a rule. Larger stretches are for the caller to divide: a drive can
# take seconds over each attempt at a bad sector.
_LARGEST = 16 << 10
_NOTHING = Extent(0, 0)


class DeviceFile(io.FileIO):
    """Reads as its device does, but pieces of pages that fail are asked of the drive itself."""

    def __init__(self, path: str, sector_size: int) -> None:
        """``OSError`` comes through."""
        super().__init__(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "r")
        self._path = path
        self._sector_size = sector_size
        self._bad_pages = _NOTHING

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type] # typeshed's Buffer is 3.12's
        wanted = Extent(self.tell(), len(view))
        if self._bad_pages.start <= wanted.start and wanted.end <= self._bad_pages.end:
            return self._read_directly(wanted, view)
        try:
            return super().readinto(view)
        except OSError:
            pages = _rounded(wanted, mmap.PAGESIZE)
            if wanted.size > _LARGEST or wanted == pages:
                raise
            self._bad_pages = pages
            return self._read_directly(wanted, view)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            return super().read(size)
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])

    def _read_directly(self, wanted: Extent, view: memoryview) -> int:
        sectors = _rounded(wanted, self._sector_size)
        before = wanted.start - sectors.start
        data = _read_past_page_cache(self._path, sectors)[before:][: wanted.size]
        view[: len(data)] = data
        self.seek(wanted.start + len(data))
        return len(data)


def _rounded(extent: Extent, grain: int) -> Extent:
    start = extent.start // grain * grain
    return Extent(start, -(-extent.end // grain) * grain - start)


def _read_past_page_cache(path: str, sectors: Extent) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
    try:
        # The drive writes into memory that begins at a page.
        with mmap.mmap(-1, sectors.size) as memory:
            return memory[: os.preadv(file, [memory], sectors.start)]
    finally:
        os.close(file)
