"""A block device with a sector that cannot be read: a loop device over a file that says so.

The file is one of FUSE, served by a process of its own:
``python -m tests.helpers.failing_drive IMAGE FOLDER SECTOR``.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.disk_images import run_tool

_SECTOR = 512


@contextmanager
def failing_drive(image: Path, folder: Path, *, bad_sector: int) -> Iterator[str]:
    """The device's path. What is in the image can be read but for that sector."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("needs FUSE")
    folder.mkdir()
    command = (sys.executable, "-m", "tests.helpers.failing_drive", image, folder, str(bad_sector))
    server = subprocess.Popen(command)
    try:
        while not folder.is_mount():
            assert server.poll() is None, "the failing file was not mounted"
        device = run_tool("losetup", "--find", "--show", "--read-only", folder / "disk").strip()
        try:
            yield device
        finally:
            run_tool("losetup", "--detach", device)
    finally:
        if folder.is_mount():
            run_tool("umount", "--lazy", folder)
        else:
            server.terminate()
        server.wait()


class _BadSector:
    """The calls that mfusepy passes on: a folder with one file, ``disk``."""

    use_ns = True

    def __init__(self, image: str, sector: int) -> None:
        self._file = os.open(image, os.O_RDONLY)
        self._bad = range(sector * _SECTOR, (sector + 1) * _SECTOR)

    def getattr(self, path: str, _file: int | None = None) -> dict[str, int]:
        if path == "/":
            return {"st_mode": 0o40755, "st_nlink": 2}
        return {"st_mode": 0o100644, "st_nlink": 1, "st_size": os.fstat(self._file).st_size}

    def open(self, _path: str, how: Any) -> int:
        # Otherwise FUSE reads by pages as well, and the sector's neighbours are lost there.
        how.direct_io = 1
        return 0

    def read(self, _path: str, size: int, offset: int, _how: Any) -> bytes:
        if offset < self._bad.stop and self._bad.start < offset + size:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.pread(self._file, size, offset)


def _serve(image: str, folder: str, sector: int) -> None:
    os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")
    import mfusepy

    mfusepy.FUSE(_BadSector(image, sector), folder, foreground=True, raw_fi=True, nothreads=True)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
