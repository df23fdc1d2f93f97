"""Writing to what a disk is restored to: image files without any rights, block devices as root."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct

from backup_agent.model.disk import Disk

# <linux/fs.h>
_BLKRRPART = 0x125F
_BLKDISCARD = 0x1277
_BLKZEROOUT = 0x127F
_RANGE = struct.Struct("=QQ")
_STEP = 1 << 20
_ZEROS = bytes(_STEP)
# Zeros of this size, aligned, become holes: large enough to keep the file in few pieces,
# small enough to find most of them.
_HOLE = 64 << 10
_PROBE = 64
# What a drive answers that does not do what was asked: then it is done by writing, or not at all.
_CANNOT = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EIO}


class _Writable:
    def __init__(self, file: int) -> None:
        self._file = file

    def read(self, start: int, size: int) -> bytes:
        pieces: list[bytes] = []
        while size and (piece := os.pread(self._file, size, start)):
            pieces.append(piece)
            start += len(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _put(self, start: int, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(self._file, view, start)
            start += done
            view = view[done:]

    def flush(self) -> None:
        os.fsync(self._file)
        os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)

    def _write_zeros_where_needed(self, start: int, size: int) -> None:
        while size > 0:
            length = min(size, _STEP)
            if self.read(start, length) != _ZEROS[:length]:
                self._put(start, _ZEROS[:length])
            start += length
            size -= length


class WritableImage(_Writable):
    """An image file. Holes stay holes, and zeros become none where there are holes."""

    def write(self, start: int, data: bytes | memoryview) -> None:
        view = memoryview(data)
        begun = place = 0
        while place < len(view):
            end = min(len(view), place + _HOLE - (start + place) % _HOLE)
            if view[place : place + _PROBE] == _ZEROS[: min(_PROBE, end - place)] and bytes(
                view[place:end]
            ) == bytes(end - place):
                self._put(start + begun, view[begun:place])
                self.zero(start + place, end - place)
                begun = end
            place = end
        self._put(start + begun, view[begun:])

    def zero(self, start: int, size: int) -> None:
        end = start + size
        while start < end:
            try:
                start = os.lseek(self._file, start, os.SEEK_DATA)
            except OSError as exc:
                if exc.errno == errno.ENXIO:
                    return
                raise
            stop = min(os.lseek(self._file, start, os.SEEK_HOLE), end)
            self._write_zeros_where_needed(start, stop - start)
            start = max(stop, start)

    def discard(self, start: int, size: int) -> None:
        """Only for all of the file: it becomes one hole."""
        whole = os.fstat(self._file).st_size
        if (start, size) == (0, whole):
            os.ftruncate(self._file, 0)
            os.ftruncate(self._file, whole)

    def close(self) -> None:
        os.close(self._file)


class WritableDevice(_Writable):
    """A block device, opened so that the kernel lets nobody mount it meanwhile."""

    def __init__(self, file: int) -> None:
        super().__init__(file)
        self._was_discarded = False

    def write(self, start: int, data: bytes | memoryview) -> None:
        self._put(start, data)

    def zero(self, start: int, size: int) -> None:
        # After a discard most of it reads as zeros already, and reading that costs a drive
        # nothing; writing zeros could take back what the discard gave.
        if self._was_discarded:
            self._write_zeros_where_needed(start, size)
            return
        try:
            fcntl.ioctl(self._file, _BLKZEROOUT, _RANGE.pack(start, size))
        except OSError as exc:
            if exc.errno not in _CANNOT:
                raise
            self._write_zeros_where_needed(start, size)

    def discard(self, start: int, size: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._file, _BLKDISCARD, _RANGE.pack(start, size))
            self._was_discarded = True

    def close(self) -> None:
        # A partition, or a loop device without partitions, has no table to be read.
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._file, _BLKRRPART)
        os.close(self._file)


def open_image(disk: Disk, *, create: bool) -> WritableImage:
    """``OSError`` comes through: ``EWOULDBLOCK`` where another restore has the file,
    ``EEXIST`` where one that was to be created has something in it.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    file = os.open(disk.path, flags, 0o666)
    try:
        _claim(file, disk.size, create=create)
    except BaseException:
        os.close(file)
        raise
    return WritableImage(file)


def open_device(disk: Disk) -> WritableDevice:
    """``OSError`` comes through: ``EBUSY`` where it, or a partition of it, is mounted."""
    return WritableDevice(os.open(disk.path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC))


def _claim(file: int, size: int, *, create: bool) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    present = os.fstat(file).st_size
    if create and present:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    if present != size:
        os.ftruncate(file, size)
