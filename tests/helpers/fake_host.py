"""A host whose only disks are image files, and whose drives can fail."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from backup_agent.errors import UnsupportedError
from backup_agent.host.api import BlockContent, WritableDisk
from backup_agent.host.select import current_host
from backup_agent.model.disk import Disk, Extent
from backup_agent.model.machine import Firmware


class FailingFile(io.FileIO):
    """Reads as its file does, but some bytes are bad."""

    def __init__(self, path: str, bad: Sequence[Extent], error: int) -> None:
        super().__init__(path, "r")
        self._bad = bad
        self._error = error

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type] # typeshed's Buffer is 3.12's
        self._fail_if_bad(len(view))
        return super().readinto(view)

    def read(self, size: int | None = -1, /) -> bytes:
        self._fail_if_bad(-1 if size is None else size)
        return super().read(size)

    def _fail_if_bad(self, size: int) -> None:
        start = self.tell()
        end = start + size if size >= 0 else os.fstat(self.fileno()).st_size
        if any(start < bad.end and bad.start < end for bad in self._bad):
            raise OSError(self._error, os.strerror(self._error))


class FakeHost:
    """``mounted`` tells which paths are in use, and where; ``frozen_view`` opens views of disks."""

    hostname = "office-pc"
    operating_system = "Test OS 1.0"
    firmware = Firmware.UEFI

    def __init__(
        self,
        *,
        mounted: Mapping[str, Sequence[str]] | None = None,
        bad: Sequence[Extent] = (),
        error: int = errno.EIO,
        frozen_view: Callable[[Disk], io.RawIOBase] | None = None,
    ) -> None:
        self._frozen_view = frozen_view
        self._mounted = mounted or {}
        self._bad = bad
        self._error = error

    def disks(self) -> list[Disk]:
        return []

    def disk(self, path: str) -> Disk:
        size = Path(path).stat().st_size
        return Disk(path=path, identity=path, size=size, sector_size=None, is_image=True)

    def open_disk(self, disk: Disk) -> io.FileIO:
        return FailingFile(disk.path, self._bad, self._error)

    def open_frozen_view(self, disk: Disk) -> io.RawIOBase | None:
        return self._frozen_view(disk) if self._frozen_view else None

    def mounts(self, path: str) -> Sequence[str]:
        return self._mounted.get(path, ())

    def attached_as(self, path: str) -> Sequence[str]:
        return ()

    def volume_mounts(self, path: str, number: int) -> Sequence[str]:
        return self.mounts(path) if number == 0 else ()

    def offers_block_devices(self) -> bool:
        return False

    def block_device(self, content: BlockContent) -> AbstractContextManager[str]:
        raise UnsupportedError("A fake host has no kernel.")

    def open_target(self, disk: Disk, *, create: bool = False) -> WritableDisk:
        return current_host().open_target(disk, create=create)

    def start_on_disk(self, path: str) -> int | None:
        return None

    def disk_around(self, path: str) -> str | None:
        return None
