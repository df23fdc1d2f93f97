"""Restoring a disk into an image file: no administrator needed, holes where zeros are."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, assert_never

from backup_agent.errors import (
    IntegrityError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
)
from backup_agent.host.api import Host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent
from backup_agent.model.events import Emit, Progress
from backup_agent.targets.disk_plan import (
    CreateImage,
    DiskImagePlan,
    StoredDisk,
    WriteArea,
    WriteVolume,
    plan_actions,
)

# Zero stretches of this size, aligned, become holes: large enough to keep the file in few
# pieces, small enough to find most of the zeros.
_HOLE = 64 << 10
_ZEROS = bytes(_HOLE)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def plan_disk_image(
    stored: StoredDisk, target: Path, *, overwrite: bool, host: Host
) -> DiskImagePlan:
    """What restoring ``stored`` into the file ``target`` will do; changes nothing.

    Raises :class:`TargetError` for a target that is no file, may not be
    written or, without ``overwrite``, holds something;
    :class:`TargetTooSmallError` instead where that something is also smaller
    than the disk; :class:`TargetInUseError` for an image that is mounted;
    :class:`IntegrityError` for a stored disk that contradicts itself.
    """
    _refuse_target(target, stored.layout.size, overwrite=overwrite)
    if places := host.mounts(str(target)):
        raise TargetInUseError(
            f"{target} is in use ({', '.join(places)}).", hint="Unmount it, or name another file."
        )
    return DiskImagePlan(target, overwrite, plan_actions(stored))


def restore_disk_image(
    plan: DiskImagePlan, stored: StoredDisk, *, emit: Emit, cancel: CancelToken
) -> None:
    """Carry out the plan. On return, the image is whole and on the medium.

    After a failure the file stays, without a partition table, so that nobody
    takes it for a disk. Raises :class:`TargetError` and its children,
    :class:`IntegrityError` for content of the wrong length, and whatever
    reading ``stored`` raises.
    """
    with _errors(plan.target), _open(plan) as file:
        news = _News(plan.size, emit, cancel)
        for action in plan.actions:
            match action:
                case CreateImage(size):
                    file.truncate(0)
                    file.truncate(size)
                case WriteVolume(volume):
                    for number, part in enumerate(volume.parts()):
                        place = Extent(volume.start + part.start, part.size)
                        pieces = news.count(stored.read_part(volume.number, number))
                        _write(file, place, pieces, f"part {number} of volume {volume.number}")
                case WriteArea(area):
                    # What was written so far must not reach the medium after the table.
                    os.fsync(file.fileno())
                    pieces = news.count(stored.read_area(area.name))
                    _write(file, area.extent, pieces, area.name)
                case _:
                    assert_never(action)
        os.fsync(file.fileno())


class _News:
    """Counts what passes, tells it, and stops when asked to."""

    def __init__(self, total: int, emit: Emit, cancel: CancelToken) -> None:
        self._total = total
        self._done = 0
        self._emit = emit
        self._cancel = cancel

    def count(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._cancel.raise_if_cancelled()
            yield piece
            self._done += len(piece)
            self._emit(Progress("restore", bytes_done=self._done, bytes_total=self._total))


def _refuse_target(target: Path, size: int, *, overwrite: bool) -> None:
    with _errors(target):
        if not target.exists():
            _refuse_unwritable(target.parent)
            return
        if not target.is_file():
            raise TargetError(
                f"{target} is not a file.", hint="Name an image file to be made, or one to replace."
            )
        _refuse_unwritable(target)
        present = target.stat().st_size
    if not present or overwrite:
        return
    if present < size:
        raise TargetTooSmallError(
            f"{target} holds {present} bytes, the disk {size}.",
            hint="Name a file that does not exist yet, or ask for this one to be overwritten.",
        )
    raise TargetError(
        f"{target} is not empty ({present} bytes).",
        hint="Name a file that does not exist yet, or ask for this one to be overwritten.",
    )


def _refuse_unwritable(path: Path) -> None:
    if not path.exists():
        raise TargetError(f"The folder {path} does not exist.", hint="Create it first.")
    if not os.access(path, os.W_OK):
        raise TargetError(f"{path} is read-only.", hint="Check its rights, or name another place.")


def _open(plan: DiskImagePlan) -> BinaryIO:
    # Without "overwrite" a file that has appeared since the plan was made is not touched,
    # except an empty one, which the plan allows.
    if plan.target.exists() and (plan.overwrite or not plan.target.stat().st_size):
        return open(plan.target, "r+b", buffering=0)
    return open(plan.target, "xb", buffering=0)


def _write(file: BinaryIO, place: Extent, pieces: Iterable[bytes], name: str) -> None:
    """Write the pieces one after the other, leaving holes; they must fill the place exactly."""
    done = 0
    for piece in pieces:
        if done + len(piece) > place.size:
            break
        for offset, end in _runs(piece, place.start + done):
            file.seek(place.start + done + offset)
            _write_all(file, memoryview(piece)[offset:end])
        done += len(piece)
    else:
        if done == place.size:
            return
    raise IntegrityError(
        f"{name} is not as long as it should be ({place.size} bytes).",
        hint="Run everboot check; another restore point may be whole.",
    )


def _runs(piece: bytes, start: int) -> Iterator[tuple[int, int]]:
    """The stretches of a piece that must be written: offset and end of each.

    Everything but the blocks of zeros, which are aligned to the file, not to the piece.
    """
    run_start = offset = 0
    while offset < len(piece):
        end = min(len(piece), offset + _HOLE - (start + offset) % _HOLE)
        if piece.startswith(_ZEROS[: end - offset], offset):
            if run_start < offset:
                yield run_start, offset
            run_start = end
        offset = end
    if run_start < offset:
        yield run_start, offset


def _write_all(file: BinaryIO, data: memoryview) -> None:
    while data:
        data = data[file.write(data) :]


@contextlib.contextmanager
def _errors(target: Path) -> Iterator[None]:
    """Translate the operating system's errors into Everboot's."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise TargetTooSmallError(
                f"There is not enough room for {target}: {exc.strerror}.",
                hint="Name a place with more free space; FAT takes no file above 4 GiB.",
            ) from exc
        raise TargetError(f"{target} cannot be written: {exc.strerror}") from exc
