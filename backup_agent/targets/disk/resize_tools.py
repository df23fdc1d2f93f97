"""ntfsresize and resize2fs: asked what they would do, and told to do it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from backup_agent.errors import CommandFailedError, TargetTooSmallError
from backup_agent.filesystems.ext import recognise_ext
from backup_agent.host.command import run
from backup_agent.model.disk import FileSystemKind, Volume
from backup_agent.targets.disk.plan import name_of

# Terabytes over a slow disk take their time; this only ends what hangs.
_SECONDS = 24 * 3600
_E2FSCK_CORRECTED = 1
# Twice "force": neither ask, nor refuse a volume that Windows wants to check; it
# checks it itself first, and marks it so that Windows does afterwards.
_NTFSRESIZE = ("ntfsresize", "--force", "--force", "--no-progress-bar")
_LEAST_BLOCKS = re.compile(rb"minimum size of the filesystem: (\d+)")
_HINT = "Use a larger target, or restore the volume's files."


def resize_file_system(path: Path, volume: Volume, size: int) -> None:
    """Bring the NTFS or ext file system in the file to ``size`` bytes.

    A file that is to hold a larger one has that size already. Raises
    :class:`TargetTooSmallError` in the tool's own words where it refuses.
    """
    with _refusals(volume, size):
        if volume.file_system.kind is FileSystemKind.NTFS:
            run([*_NTFSRESIZE, "--size", str(size), str(path)], timeout_seconds=_SECONDS)
        else:
            _replay_journal(path)
            run(["resize2fs", str(path), f"{size >> 10}K"], timeout_seconds=_SECONDS)


def rehearse_resize(path: Path, volume: Volume, size: int) -> None:
    """Ask the tools whether :func:`resize_file_system` would go well with this copy of the volume.

    It is of no use for anything else afterwards: a journal is replayed there. Raises
    :class:`TargetTooSmallError`.
    """
    with _refusals(volume, size):
        if volume.file_system.kind is FileSystemKind.NTFS:
            command = [*_NTFSRESIZE, "--no-action", "--size", str(size), str(path)]
            run(command, timeout_seconds=_SECONDS)
            return
        _replay_journal(path)
        answer = run(["resize2fs", "-P", str(path)], timeout_seconds=_SECONDS).output
    least = _least_size(path, answer)
    if least is None or size < least:
        known = "" if least is None else f": resize2fs says that it needs {least}"
        raise TargetTooSmallError(
            f"{name_of(volume)} cannot be brought to {size} bytes{known}.", hint=_HINT
        )


def _replay_journal(path: Path) -> None:
    """resize2fs works on clean file systems only."""
    run(
        ["e2fsck", "-f", "-p", str(path)],
        timeout_seconds=_SECONDS,
        also_good=(_E2FSCK_CORRECTED,),
    )


def _least_size(path: Path, answer: bytes) -> int | None:
    """The bytes that resize2fs, which counts in blocks, shrinks to."""
    blocks = _LEAST_BLOCKS.search(answer)
    with open(path, "rb") as file:
        system = recognise_ext(file, 0)
    if blocks is None or system is None or system.cluster_size is None:
        return None
    return int(blocks[1]) * system.cluster_size


@contextlib.contextmanager
def _refusals(volume: Volume, size: int) -> Iterator[None]:
    try:
        yield
    except CommandFailedError as exc:
        raise TargetTooSmallError(
            f"{name_of(volume)} cannot be brought to {size} bytes: {exc.message}", hint=_HINT
        ) from exc
