"""Bringing a disk back: out of a disk restore point into an image file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from backup_agent.errors import IntegrityError, NoSuchPointError, UsageError
from backup_agent.format.disk_layout import decode_layout, decode_volume
from backup_agent.model.disk import DiskLayout, Volume
from backup_agent.services.browse import PointBrowser, TreePath

_DISKS = b"disks"


class DiskInPoint:
    """One disk of a restore point, as ``targets.disk_plan.StoredDisk`` wants it."""

    def __init__(self, browser: PointBrowser, number: int) -> None:
        """Raises ``NoSuchPointError`` where the restore point holds no such disk."""
        self._browser = browser
        self._folder: TreePath = (_DISKS, str(number).encode())
        browser.find(self._folder)

    @cached_property
    def layout(self) -> DiskLayout:
        return decode_layout(self._read(b"layout.json"))

    @cached_property
    def volumes(self) -> Sequence[Volume]:
        folder = (*self._folder, b"volumes")
        try:
            nodes = self._browser.list_folder(folder)
        except NoSuchPointError:
            return ()
        found = [decode_volume(self._read(b"volumes", n.name, b"volume.json")) for n in nodes]
        return sorted(found, key=lambda volume: volume.number)

    def read_area(self, name: str) -> Iterator[bytes]:
        return self._content(name.encode())

    def read_part(self, volume: int, part: int) -> Iterator[bytes]:
        return self._content(b"volumes", b"%d" % volume, b"image", b"%04d" % part, b"part")

    def _read(self, *names: bytes) -> bytes:
        return b"".join(self._content(*names))

    def _content(self, *names: bytes) -> Iterator[bytes]:
        path = (*self._folder, *names)
        try:
            node = self._browser.find(path)
        except NoSuchPointError as exc:
            raise IntegrityError(
                f"The disk restore point is not whole: {exc.message}", hint="Run everboot check."
            ) from exc
        return self._browser.content(node)


def disk_number(name: str) -> int:
    """``disk0`` as people write it. Raises ``UsageError``."""
    digits = name.removeprefix("disk")
    if name == digits or not digits.isdecimal():
        raise UsageError(
            f"{name!r} names no disk of a restore point.",
            hint="Disks are called disk0, disk1 …: --map disk0=FILE",
        )
    return int(digits)
