"""A volume in another size: shrunk or grown in a scratch file, then written to its place.

The tools that do it (ntfsresize, resize2fs) want the whole volume before them,
and the target may be too small for that. The scratch file has the volume's old
size but takes only the room of its data; it goes when the volume is written,
and a restore that was interrupted makes it anew.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from backup_agent.errors import TargetError, TargetTooSmallError
from backup_agent.filesystems.boot_sector import Patch
from backup_agent.model.disk import Extent
from backup_agent.model.ids import BlobId
from backup_agent.targets.disk.resize_tools import resize_file_system
from backup_agent.targets.disk.slot import VolumeSlot
from backup_agent.targets.disk.stored import VolumeContent

_STEP = 1 << 20
# As in stored images: what is all zeros in this grain is not written.
_GRAIN = 64 << 10
_ZEROS = bytes(_GRAIN)

Tell = Callable[[int], None]
"""Called with each number of bytes that were written of the source; may raise to stop."""


class ResizedVolume(Protocol):
    """A volume in its new size, ready to be written."""

    def write(self, slot: VolumeSlot, patches: Iterable[Patch]) -> None: ...

    def close(self) -> None:
        """Give back whatever room it took."""
        ...


class Reshaper(Protocol):
    """Brings stored volumes to another size, without touching the source."""

    def resize(self, content: VolumeContent, size: int, tell: Tell) -> ResizedVolume:
        """Raises :class:`TargetTooSmallError` where the file system does not fit after all."""
        ...


class ScratchReshaper:
    """With a sparse scratch file in ``folder``, which needs room for the volume's data."""

    def __init__(self, folder: Path, name: str) -> None:
        # Absolute, so that no tool takes it for an option.
        self._path = folder.resolve() / f".{name}.everboot-scratch"

    def resize(self, content: VolumeContent, size: int, tell: Tell) -> ScratchVolume:
        with _scratch_errors(self._path):
            # One that a killed restore left is of no use; and never through another's link.
            self._path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            scratch = ScratchVolume(self._path, os.open(self._path, flags, 0o600), size)
            try:
                scratch.fill(content, tell)
                resize_file_system(self._path, content.volume, size)
                os.truncate(self._path, size)
            except BaseException:
                scratch.close()
                raise
            return scratch


class ScratchVolume:
    """The scratch file, open; it is gone when closed."""

    def __init__(self, path: Path, file: int, size: int) -> None:
        self._path = path
        self._file = file
        self._size = size

    def fill(self, content: VolumeContent, tell: Tell) -> None:
        """Write the volume as it is stored, with holes for zeros."""
        os.ftruncate(self._file, max(content.volume.size, self._size))
        places: deque[int] = deque()

        def wanted() -> Iterator[BlobId]:
            for offset, blob in content.blobs():
                if not blob.is_zero:
                    places.append(offset)
                    yield blob.id

        for data in content.stored.fetch(wanted()):
            os.pwrite(self._file, data, places.popleft())
            tell(len(data))

    def write(self, slot: VolumeSlot, patches: Iterable[Patch]) -> None:
        for patch in patches:
            os.pwrite(self._file, patch.data, patch.offset)
        for data in _data_extents(self._file, self._size):
            slot.zero(data.gap_start, data.start - data.gap_start)
            for offset in range(data.start, data.end, _STEP):
                piece = os.pread(self._file, min(_STEP, data.end - offset), offset)
                _write_piece(piece, offset, slot)

    def close(self) -> None:
        os.close(self._file)
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def _scratch_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise TargetTooSmallError(
                f"There is not enough room for a scratch file in {path.parent}: {exc.strerror}.",
                hint="Name a folder with more free space: --scratch DIR",
            ) from exc
        raise TargetError(f"The scratch file {path} does not work: {exc.strerror}.") from exc


@dataclass(frozen=True, slots=True)
class _Data:
    """A stretch of a sparse file that holds data, and where the hole before it begins."""

    gap_start: int
    start: int
    end: int


def _data_extents(file: int, size: int) -> Iterator[_Data]:
    """The file in stretches, each a hole and the data behind it; a last hole ends with none."""
    place = 0
    while place < size:
        try:
            start = os.lseek(file, place, os.SEEK_DATA)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
            start = size
        end = os.lseek(file, start, os.SEEK_HOLE) if start < size else size
        yield _Data(place, start, end)
        place = end


def _write_piece(data: bytes, offset: int, slot: VolumeSlot) -> None:
    for part in _runs(data):
        piece = data[part.start : part.end]
        if len(piece) <= _GRAIN and piece == _ZEROS[: len(piece)]:
            slot.zero(offset + part.start, part.size)
        else:
            slot.write(offset + part.start, piece)


def _runs(data: bytes) -> Iterator[Extent]:
    """Neighbouring grains of data as one run; each grain of zeros by itself."""
    start = 0
    for place in range(0, len(data), _GRAIN):
        grain = min(_GRAIN, len(data) - place)
        if data.startswith(_ZEROS[:grain], place):
            if start < place:
                yield Extent(start, place - start)
            yield Extent(place, grain)
            start = place + grain
    if start < len(data):
        yield Extent(start, len(data) - start)
