"""One disk of a restore point, as a restore wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from backup_agent.errors import IntegrityError, NoSuchPointError
from backup_agent.format.disk_layout import decode_layout, decode_volume
from backup_agent.model.disk import DiskLayout, Volume
from backup_agent.model.node import Node
from backup_agent.services.browse import PointBrowser, TreePath
from backup_agent.targets.disk.stored import StoredBlob

DISKS = b"disks"
"""The folder that all disks of a restore point are stored under."""


class DiskInPoint:
    """A :class:`~backup_agent.targets.disk.stored.StoredDisk` out of a repository."""

    def __init__(self, browser: PointBrowser, number: int) -> None:
        """Raises ``NoSuchPointError`` where the restore point holds no such disk."""
        self._browser = browser
        self._folder: TreePath = (DISKS, str(number).encode())
        self.identity = f"{browser.snapshot.id}/{number}"
        self.fetch = browser.fetch
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

    def area_blobs(self, name: str) -> Iterator[StoredBlob]:
        return self._blobs(self._find(name.encode()))

    def part_blobs(self, volume: int, part: int) -> Iterator[StoredBlob]:
        return self._blobs(
            self._find(b"volumes", b"%d" % volume, b"image", b"%04d" % part, b"part")
        )

    def _blobs(self, node: Node) -> Iterator[StoredBlob]:
        for blob, size in self._browser.blobs(node):
            yield StoredBlob(blob, size)

    def _read(self, *names: bytes) -> bytes:
        return b"".join(self._browser.content(self._find(*names)))

    def _find(self, *names: bytes) -> Node:
        try:
            return self._browser.find((*self._folder, *names))
        except NoSuchPointError as exc:
            raise IntegrityError(
                f"The disk restore point is not whole: {exc.message}", hint="Run everboot check."
            ) from exc
