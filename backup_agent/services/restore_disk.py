"""Bringing a disk back: out of a disk restore point into an image file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from backup_agent.errors import IntegrityError, NoSuchPointError, UsageError
from backup_agent.format.disk_layout import decode_layout, decode_volume
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import DiskLayout, Volume
from backup_agent.model.events import Emit
from backup_agent.model.ids import BlobId
from backup_agent.services.browse import PointBrowser, TreePath
from backup_agent.targets.disk_image import plan_disk_image, restore_disk_image
from backup_agent.targets.disk_plan import DiskImagePlan

_DISKS = b"disks"


@dataclass(frozen=True, slots=True)
class BlobPlacement:
    """Bytes ``start`` to ``start + size`` of a disk, and the hash they must have."""

    start: int
    size: int
    blob: BlobId


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

    def places(self) -> Iterator[BlobPlacement]:
        """Every blob of the disk and where on it belongs."""
        for volume in self.volumes:
            for number, part in enumerate(volume.parts()):
                names = (b"volumes", b"%d" % volume.number, b"image", b"%04d" % number, b"part")
                yield from self._placed(volume.start + part.start, *names)
        for area in self.layout.areas:
            yield from self._placed(area.extent.start, area.name.encode())

    def _placed(self, start: int, *names: bytes) -> Iterator[BlobPlacement]:
        for blob, size in self._browser.blobs(self._browser.find((*self._folder, *names))):
            yield BlobPlacement(start, size, blob)
            start += size

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


@dataclass(frozen=True, slots=True)
class DiskRestore:
    """A frozen plan: which disk of the restore point goes where, action by action."""

    source: str
    plan: DiskImagePlan
    stored: DiskInPoint

    @property
    def target(self) -> Path:
        return self.plan.target

    @property
    def size(self) -> int:
        return self.plan.size

    def lines(self) -> Iterator[str]:
        return self.plan.lines()


def plan_disk_restore(
    browser: PointBrowser, source: str, target: Path, *, overwrite: bool
) -> DiskRestore:
    """Plan to restore ``source`` (``disk0``) into an image file; changes nothing.

    Raises ``UsageError``, ``NoSuchPointError``, ``IntegrityError``, ``TargetError``.
    """
    stored = DiskInPoint(browser, disk_number(source))
    plan = plan_disk_image(stored, target, overwrite=overwrite, host=current_host())
    return DiskRestore(source, plan, stored)


def execute_disk_restore(
    job: DiskRestore, *, verify: bool, emit: Emit, cancel: CancelToken
) -> None:
    """Do what was planned, and read it back if asked to.

    Raises ``TargetError``, ``IntegrityError``, ``StorageError``, ``JobCancelledError``.
    """
    restore_disk_image(job.plan, job.stored, emit=emit, cancel=cancel)
    if verify:
        _verify(job, cancel)


def _verify(job: DiskRestore, cancel: CancelToken) -> None:
    with open(job.target, "rb") as file:
        for place in job.stored.places():
            cancel.raise_if_cancelled()
            file.seek(place.start)
            if hashlib.sha256(file.read(place.size)).digest() != place.blob:
                raise IntegrityError(
                    f"{job.target} reads back differently at byte {place.start}.",
                    hint="Restore to another disk: this one does not keep what is written.",
                )


def disk_number(name: str) -> int:
    """``disk0`` as people write it. Raises ``UsageError``."""
    digits = name.removeprefix("disk")
    if name == digits or not digits.isdecimal():
        raise UsageError(
            f"{name!r} names no disk of a restore point.",
            hint="Disks are called disk0, disk1 …: --map disk0=FILE",
        )
    return int(digits)
