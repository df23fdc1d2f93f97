"""A disk or image file that is being backed up: its bytes, past sectors that cannot be read."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Sequence
from threading import Lock

from backup_agent.errors import SourceError
from backup_agent.model.disk import Disk, Extent, Volume
from backup_agent.sources.file_finder import FileFinder

# What drives, remote disks and checksumming file systems under an image answer for bad sectors.
# ``errno`` lacks some of the names on other systems.
_BAD_SECTOR = {
    getattr(errno, name)
    for name in ("EIO", "ENODATA", "EREMOTEIO", "EILSEQ", "EBADMSG", "EUCLEAN")
    if hasattr(errno, name)
}
# Around a bad sector, reading narrows down in these steps, and then to the sector.
_GRAINS = (64 << 10, 4 << 10)
_USUAL_SECTOR = 512


class DiskReader:
    """One disk or image file, opened once; for several threads."""

    def __init__(self, disk: Disk, file: io.RawIOBase) -> None:
        self.disk = disk
        self._file = file
        self._lock = Lock()
        self._stamp = self._image_stamp()
        self._told: set[int | None] = set()
        self._may_have_holes = disk.is_image and hasattr(os, "SEEK_DATA")
        self._data = Extent(0, 0)
        # A drive loses whole physical sectors: asking for less of one takes time and gives nothing.
        smallest = disk.physical_sector_size or disk.sector_size or _USUAL_SECTOR
        self._grains = (*(grain for grain in _GRAINS if grain > smallest), smallest)

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
            return self._fill_around(start, buffer, self._grains)

    def next_data(self, place: int, end: int) -> int:
        """The first byte from ``place`` to ``end`` outside the holes of a sparse image file."""
        if not self._may_have_holes or self._data.start <= place < self._data.end:
            return place
        with self._lock:
            file = self._file.fileno()
            try:
                start = os.lseek(file, place, os.SEEK_DATA)
                self._data = Extent(start, os.lseek(file, start, os.SEEK_HOLE) - start)
            except OSError as exc:
                # No data up to the file's end, wherever that is now.
                if exc.errno == errno.ENXIO and os.fstat(file).st_size >= self.disk.size:
                    return end
                self._may_have_holes = False
                return place
        return min(start, end)

    def find_files(
        self, finder: FileFinder, volume: Volume, extents: Sequence[Extent]
    ) -> Sequence[str]:
        """Which files of the volume lie in those bytes of it."""
        with self._lock:
            return finder(self._file, volume, extents)

    def changed(self, volume: int | None) -> str:
        """What shows that an image file was written to since it was opened.

        Told once for each volume, by its number, and once for all that is beside them.
        """
        if volume in self._told or self._image_stamp() == self._stamp:
            return ""
        self._told.add(volume)
        return f"{self.disk.path} was changed while it was read"

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
