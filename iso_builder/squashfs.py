"""Layers: folders and archives as squashfs, the same bytes for the same content."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from backup_agent.model.cancel import CancelToken
from iso_builder.command import run
from iso_builder.config import EPOCH

# zstd unpacks quickly where it counts: on the slow computer that is to be restored.
OPTIONS = ("-comp", "zstd", "-Xcompression-level", "15", "-b", "256K", "-noappend", "-no-progress")
# squashfs-tools takes all of a file system's time stamps from here.
_TIMES = ("-all-time", str(EPOCH), "-mkfs-time", str(EPOCH))
_ENVIRONMENT = {"SOURCE_DATE_EPOCH": str(EPOCH)}


def pack_tar(tar: BinaryIO, target: Path, *, cancel: CancelToken) -> None:
    """The archive's entries with their owners. Raises :class:`CommandFailedError`."""
    run(
        ["mksquashfs", "-", target, "-tar", *OPTIONS],
        feed=tar,
        environment=_ENVIRONMENT,
        cancel=cancel,
    )


def pack_folder(folder: Path, target: Path, *, cancel: CancelToken) -> None:
    """What is in the folder, as root's and of one date. Raises :class:`CommandFailedError`."""
    run(
        ["mksquashfs", folder, target, *OPTIONS, "-all-root", *_TIMES],
        # With SOURCE_DATE_EPOCH set, too, mksquashfs refuses to be told times.
        environment={},
        cancel=cancel,
    )
