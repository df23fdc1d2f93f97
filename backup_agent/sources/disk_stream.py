"""Bytes of a disk, in order, past sectors that cannot be read."""

from __future__ import annotations

import errno
import io
import os
from threading import Lock

from backup_agent.errors import SourceError
from backup_agent.model.disk import Disk, Extent, joined
from backup_agent.sources.entry import Chunking

# What drives, remote disks and checksumming file systems under an image answer for bad sectors.
# ``errno`` lacks some of the names on other systems.
_BAD_SECTOR = {
    getattr(errno, name)
    for name in ("EIO", "ENODATA", "EREMOTEIO", "EILSEQ", "EBADMSG", "EUCLEAN")
    if hasattr(errno, name)
}
# Around a bad sector, reading narrows down in these steps. The last is what the page cache
# reads at once, and the physical sector of nearly every disk.
_GRAINS = (64 << 10, 4 << 10)


class DiskReader:
    """One disk or image file, opened once; for several threads."""

    def __init__(self, disk: Disk, file: io.RawIOBase) -> None:
        self.disk = disk
        self._file = file
        self._lock = Lock()
        self._stamp = self._image_stamp()

    def fill(self, start: int, buffer: memoryview) -> list[Extent]:
        """Fill the buffer from byte ``start`` on; zeros where that is impossible.

        Returns the extents of the disk that could not be read. Raises
        :class:`SourceError` where the disk has become shorter or is gone.
        """
        try:
            self._read(start, buffer)
            return []
        except OSError as exc:
            self._refuse_unless_bad_sector(exc)
            return self._fill_around(start, buffer, _GRAINS)

    def changed(self) -> str:
        """What shows that an image file was written to since it was opened."""
        if self._image_stamp() != self._stamp:
            return f"{self.disk.path} was changed while it was read"
        return ""

    def close(self) -> None:
        self._file.close()

    def _fill_around(self, start: int, buffer: memoryview, grains: tuple[int, ...]) -> list[Extent]:
        grain, *finer = grains
        unreadable: list[Extent] = []
        done = 0
        while done < len(buffer):
            place = start + done
            piece = buffer[done : done + grain - place % grain]
            try:
                self._read(place, piece)
            except OSError as exc:
                self._refuse_unless_bad_sector(exc)
                if finer:
                    unreadable += self._fill_around(place, piece, tuple(finer))
                else:
                    piece[:] = bytes(len(piece))
                    unreadable.append(Extent(place, len(piece)))
            done += len(piece)
        return unreadable

    def _read(self, start: int, buffer: memoryview) -> None:
        with self._lock:
            self._file.seek(start)
            done = 0
            while done < len(buffer):
                count = self._file.readinto(buffer[done:])
                # A drive that is pulled out shows as an end, too: the kernel sets its size to 0.
                if not count:
                    raise SourceError(
                        f"{self.disk.path} ends at byte {start + done},"
                        f" but had {self.disk.size} bytes when the backup began.",
                        hint="It was cut off or disconnected; run the backup again.",
                    )
                done += count

    def _refuse_unless_bad_sector(self, exc: OSError) -> None:
        if exc.errno not in _BAD_SECTOR:
            raise SourceError(f"{self.disk.path} cannot be read: {exc.strerror}") from exc

    def _image_stamp(self) -> tuple[int, int]:
        if not self.disk.is_image:
            return 0, 0
        status = os.fstat(self._file.fileno())
        return status.st_mtime_ns, status.st_size


class DiskStream:
    """A stretch of a disk as the content of one file."""

    chunking = Chunking.FIXED

    def __init__(self, reader: DiskReader, extent: Extent) -> None:
        self._reader = reader
        self._extent = extent
        self._done = 0
        self._unreadable: list[Extent] = []

    def readinto(self, buffer: memoryview) -> int:
        wanted = buffer[: self._extent.size - self._done]
        if wanted:
            for bad in self._reader.fill(self._extent.start + self._done, wanted):
                self._unreadable.append(Extent(bad.start - self._extent.start, bad.size))
            self._done += len(wanted)
        return len(wanted)

    def changed(self) -> str:
        return self._reader.changed()

    def unreadable(self) -> list[Extent]:
        return list(joined(self._unreadable))

    def close(self) -> None:
        """Nothing: the reader serves all of a disk's streams and is the source's to close."""


class TextStream:
    """A small file that exists only in memory."""

    chunking = Chunking.CONTENT

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readinto(self, buffer: memoryview) -> int:
        return self._file.readinto(buffer)

    def changed(self) -> str:
        return ""

    def unreadable(self) -> list[Extent]:
        return []

    def close(self) -> None:
        self._file.close()
