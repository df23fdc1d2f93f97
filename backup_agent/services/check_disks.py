"""Whether disk restore points hold whole disks: every byte of every volume, and files in them.

Whether a blob is there and whole is the check's own affair; here the question is
whether the blobs make a disk. Sizes come out of trees and index; of the volumes'
content only that is read which opening a file system takes. A volume that several
restore points share is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from backup_agent.errors import (
    IntegrityError,
    NoSuchPointError,
    UnreadableError,
    UnsupportedVersionError,
)
from backup_agent.format.disk_layout import decode_volume
from backup_agent.model.disk import AreaKind, DiskLayout, Extent, TableKind, Volume
from backup_agent.model.disk_check import DiskPointCheck, VolumeCheck
from backup_agent.model.finding import Finding, Severity
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import TreePath
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.stored_disk import DiskInPoint

_HINT = "everboot ls shows what can still be reached; the next backup stores all of it anew."


class DiskPointChecker:
    """Remembers the volumes it looked at. Raises ``StorageError`` and nothing else."""

    def __init__(self, reader: BlobReader) -> None:
        self._reader = reader
        self._seen: dict[tuple[BlobId | None, Extent], VolumeCheck] = {}

    def check(
        self, snapshot: Snapshot, *, on_volume: Callable[[str], None]
    ) -> DiskPointCheck | None:
        """``None`` for a restore point of files, and for one whose root cannot be read.

        ``on_volume`` is called before each volume, with its name (``disk0/volume2``).
        """
        with DeepBrowser(self._reader, snapshot) as browser:
            try:
                disks = browser.disks()
            except (IntegrityError, NoSuchPointError):
                return None
            if not disks:
                return None
            volumes: list[VolumeCheck] = []
            findings: list[Finding] = []
            readable = 0
            for disk in disks:
                try:
                    layout = _layout(browser, disk.name)
                    findings += [
                        _finding(snapshot, disk.name.decode("utf-8", "replace"), trouble)
                        for trouble in _troubles(browser, disk.name, layout)
                    ]
                    findings += _doubts(snapshot, disk.name.decode("utf-8", "replace"), layout)
                    volumes += self._volumes(browser, disk.name, layout, on_volume)
                    readable += 1
                except (IntegrityError, NoSuchPointError, UnsupportedVersionError) as exc:
                    name = disk.name.decode("utf-8", "replace")
                    findings.append(_finding(snapshot, name, exc.message))
        findings += [
            _finding(snapshot, volume.path, volume.problem, volume.severity)
            for volume in volumes
            if volume.problem
        ]
        return DiskPointCheck(snapshot, readable, tuple(volumes), tuple(findings))

    def _volumes(
        self,
        browser: DeepBrowser,
        disk: bytes,
        layout: DiskLayout,
        on_volume: Callable[[str], None],
    ) -> Iterator[VolumeCheck]:
        for number, extent in sorted(_expected(layout).items()):
            name = b"volume%d" % number
            path = (disk, name)
            folder = (b"disks", disk.removeprefix(b"disk"), b"volumes", b"%d" % number)
            shown = f"{disk.decode()}/{name.decode()}"
            on_volume(shown)
            try:
                # Bad sectors stand elsewhere in the restore point, and change what can be opened.
                same = None if browser.omissions() else browser.find(folder).subtree
                known = self._seen.get((same, extent)) if same else None
                checked = known or _check_volume(browser, path, folder, extent)
                self._seen[same, extent] = checked
            except (IntegrityError, NoSuchPointError, UnsupportedVersionError) as exc:
                checked = VolumeCheck("", None, None, exc.message)
            yield replace(checked, path=shown)


def _layout(browser: DeepBrowser, disk: bytes) -> DiskLayout:
    digits = disk.removeprefix(b"disk")
    if not digits.isdigit():
        raise IntegrityError("It has no number.")
    return DiskInPoint(browser, int(digits)).layout


def _expected(layout: DiskLayout) -> dict[int, Extent]:
    """Where each volume is to be, by its number."""
    if layout.table.kind is TableKind.NONE:
        return {0: Extent(0, layout.size)}
    return {p.number: p.extent for p in layout.table.partitions if p.holds_volume}


def _troubles(browser: DeepBrowser, disk: bytes, layout: DiskLayout) -> Iterator[str]:
    """What is wrong beside the volumes."""
    folder = (b"disks", disk.removeprefix(b"disk"))
    heads = [area.extent.start for area in layout.areas if area.kind is AreaKind.HEAD]
    if layout.table.kind is not TableKind.NONE and heads != [0]:
        yield "layout.json names no image of the disk's head."
    for area in layout.areas:
        try:
            yield from _size_troubles(
                browser, (*folder, area.name.encode()), area.extent.size, area.name
            )
        except (IntegrityError, NoSuchPointError) as exc:
            yield exc.message
    known = {b"%d" % number for number in _expected(layout)}
    try:
        stored = browser.list_folder((*folder, b"volumes"))
    except NoSuchPointError:
        return
    for node in stored:
        if node.name not in known:
            name = node.name.decode("utf-8", "backslashreplace")
            yield f"There is a volume {name} that no partition has room for."


def _doubts(snapshot: Snapshot, disk: str, layout: DiskLayout) -> Iterator[Finding]:
    """Partitions that nobody knows of: every byte is there, but what it means is not."""
    if layout.table.undivided:
        problem = "Its partition table was damaged when it was backed up: "
        yield _finding(snapshot, disk, problem + " ".join(layout.table.flaws), Severity.HINT)


def _check_volume(
    browser: DeepBrowser, path: TreePath, folder: TreePath, place: Extent
) -> VolumeCheck:
    """Raises ``IntegrityError``, ``NoSuchPointError``."""
    node = browser.find((*folder, b"volume.json"))
    described = decode_volume(b"".join(browser.content(node)))
    kind = described.file_system.kind
    for trouble in _image_troubles(browser, folder, described, place):
        return VolumeCheck("", kind, None, trouble)
    volume = browser.volume(path)
    if not volume.is_readable:
        return VolumeCheck("", kind, None)
    try:
        volume.tree.list_folder(volume.tree.root)
    except UnreadableError as exc:
        if described.used_bytes is None:
            # The backup could not make sense of it either, said so, and kept every byte.
            problem = f"Its {kind} file system was damaged when it was backed up: {exc.message}"
            return VolumeCheck("", kind, False, problem, Severity.HINT)
        return VolumeCheck("", kind, False, f"Its {kind} file system does not open: {exc.message}")
    except IntegrityError as exc:
        return VolumeCheck("", kind, False, f"Its {kind} file system does not open: {exc.message}")
    return VolumeCheck("", kind, True)


def _image_troubles(
    browser: DeepBrowser, folder: TreePath, described: Volume, place: Extent
) -> Iterator[str]:
    """The first thing that keeps the parts from being the volume."""
    if folder[-1] != b"%d" % described.number:
        yield f"volume.json describes volume {described.number}."
    elif described.extent != place:
        yield (
            f"volume.json tells of {described.size} bytes at {described.start}, "
            f"layout.json of {place.size} at {place.start}."
        )
    else:
        for number, part in enumerate(described.parts()):
            part_path = (*folder, b"image", b"%04d" % number, b"part")
            yield from _size_troubles(browser, part_path, part.size, f"part {number}")


def _size_troubles(browser: DeepBrowser, path: TreePath, size: int, name: str) -> Iterator[str]:
    """Whether a file and the blobs it is made of have that size."""
    node: Node = browser.find(path)
    stored = sum(length for _, length in browser.blobs(node))
    if node.size != size or stored != size:
        yield f"{name} has {min(node.size, stored)} bytes instead of {size}."


def _finding(
    snapshot: Snapshot, where: str, message: str, severity: Severity = Severity.ERROR
) -> Finding:
    place = where.replace("/", ", ")
    return Finding(
        severity,
        f"snapshots/{snapshot.id}",
        f"restore point {snapshot.short_id}, {place}: {message}",
        _HINT if severity is Severity.ERROR else "",
    )
