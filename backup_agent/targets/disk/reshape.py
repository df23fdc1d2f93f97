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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from backup_agent.errors import CommandFailedError, TargetError, TargetTooSmallError
from backup_agent.host.command import run
from backup_agent.model.disk import Extent, FileSystemKind
from backup_agent.model.ids import BlobId
from backup_agent.targets.disk.plan import ResizeVolume, name_of
from backup_agent.targets.disk.slot import VolumeSlot
from backup_agent.targets.disk.stored import VolumeContent

# Terabytes over a slow disk take their time; this only ends what hangs.
_SECONDS = 24 * 3600
_STEP = 1 << 20
# As in stored images: what is all zeros in this grain is not written.
_GRAIN = 64 << 10
_ZEROS = bytes(_GRAIN)
_E2FSCK_CORRECTED = 1

Tell = Callable[[int], None]
"""Called with each number of bytes that were written of the source; may raise to stop."""


class Reshaper(Protocol):
    """Brings a stored volume to the target in another size, without touching the source."""

    def reshape(
        self, content: VolumeContent, action: ResizeVolume, slot: VolumeSlot, tell: Tell
    ) -> None:
        """Fill ``slot`` with the resized volume.

        Raises :class:`TargetTooSmallError` where the file system does not fit
        after all; then nothing was written to the slot.
        """
        ...


class ScratchReshaper:
    """With a sparse scratch file in ``folder``, which needs room for the volume's data."""

    def __init__(self, folder: Path, name: str) -> None:
        # Absolute, so that no tool takes it for an option.
        self._path = folder.resolve() / f".{name}.everboot-scratch"

    def reshape(
        self, content: VolumeContent, action: ResizeVolume, slot: VolumeSlot, tell: Tell
    ) -> None:
        with self._scratch(max(content.volume.size, action.place.size)) as file:
            _fill(file, content, tell)
            resize_file_system(self._path, action)
            os.truncate(self._path, action.place.size)
            for patch in action.patches:
                os.pwrite(file, patch.data, patch.offset)
            _copy(file, action.place.size, slot)

    @contextlib.contextmanager
    def _scratch(self, size: int) -> Iterator[int]:
        try:
            # One that a killed restore left is of no use; and never through another's link.
            self._path.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            file = os.open(self._path, flags, 0o600)
            try:
                os.ftruncate(file, size)
                yield file
            finally:
                os.close(file)
                self._path.unlink(missing_ok=True)
        except OSError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise TargetTooSmallError(
                    f"There is not enough room for a scratch file in {self._path.parent}:"
                    f" {exc.strerror}.",
                    hint="Name a folder with more free space: --scratch DIR",
                ) from exc
            raise TargetError(
                f"The scratch file {self._path} does not work: {exc.strerror}."
            ) from exc


def resize_file_system(path: Path, action: ResizeVolume) -> None:
    """Bring the NTFS or ext file system in the file to the size of ``action.place``.

    A file that is to hold a larger one has that size already. Raises
    :class:`TargetTooSmallError` in the tool's own words where it refuses.
    """
    size = action.place.size
    try:
        if action.volume.file_system.kind is FileSystemKind.NTFS:
            # Twice "force": neither ask, nor refuse a volume that Windows wants to check; it
            # checks it itself first, and marks it so that Windows does afterwards.
            command = ["ntfsresize", "--force", "--force", "--no-progress-bar"]
            run([*command, "--size", str(size), str(path)], timeout_seconds=_SECONDS)
        else:
            # resize2fs works on clean file systems only; this replays the journal.
            run(
                ["e2fsck", "-f", "-p", str(path)],
                timeout_seconds=_SECONDS,
                also_good=(_E2FSCK_CORRECTED,),
            )
            kib = f"{size >> 10}K"
            run(["resize2fs", str(path), kib], timeout_seconds=_SECONDS)
    except CommandFailedError as exc:
        raise TargetTooSmallError(
            f"{name_of(action.volume)} cannot be brought to {size} bytes: {exc.message}",
            hint="Use a larger target, or restore the volume's files.",
        ) from exc


def _fill(file: int, content: VolumeContent, tell: Tell) -> None:
    places: deque[int] = deque()

    def wanted() -> Iterator[BlobId]:
        for offset, blob in content.blobs():
            if not blob.is_zero:
                places.append(offset)
                yield blob.id

    for data in content.stored.fetch(wanted()):
        os.pwrite(file, data, places.popleft())
        tell(len(data))


def _copy(file: int, size: int, slot: VolumeSlot) -> None:
    """The file's content into the slot, zeros as zeros."""
    place = 0
    while place < size:
        try:
            start = os.lseek(file, place, os.SEEK_DATA)
        except OSError as exc:
            if exc.errno != errno.ENXIO:
                raise
            start = size
        if start > place:
            slot.zero(place, start - place)
        stop = os.lseek(file, start, os.SEEK_HOLE) if start < size else size
        for offset in range(start, stop, _STEP):
            _copy_piece(os.pread(file, min(_STEP, stop - offset), offset), offset, slot)
        place = stop


def _copy_piece(data: bytes, offset: int, slot: VolumeSlot) -> None:
    for run_of in _runs(data):
        piece = data[run_of.start : run_of.end]
        if len(piece) <= _GRAIN and piece == _ZEROS[: len(piece)]:
            slot.zero(offset + run_of.start, run_of.size)
        else:
            slot.write(offset + run_of.start, piece)


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
