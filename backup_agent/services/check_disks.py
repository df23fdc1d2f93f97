"""Whether disk restore points hold whole disks: every byte of every volume, and files in them.

Which blobs are missing or damaged the check of the repository has found out; here the
question is what that means for disks, and whether the blobs make one. Sizes come out of
trees and index; of the volumes' content only that is read which opening a file system
takes. A volume that several restore points share is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from backup_agent.errors import IntegrityError, NoSuchPointError, UnsupportedVersionError
from backup_agent.model.disk import AreaKind, DiskLayout, Extent, TableKind, Volume
from backup_agent.model.disk_check import DiskPointCheck, VolumeCheck
from backup_agent.model.finding import Finding, Severity
from backup_agent.model.ids import BlobId
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.services.check_volume import check_volume, measure, stored_folder
from backup_agent.services.gaps import Gap, find_gaps
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.stored_disk import DiskInPoint

_HINT = "everboot ls shows what can still be reached; the next backup stores all of it anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class _DiskCheck:
    """``troubles`` are what is wrong beside the volumes, ``doubts`` what was so on the disk
    already, ``gaps`` what the backup could not read.
    """

    name: str
    is_readable: bool = True
    troubles: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    volumes: tuple[VolumeCheck, ...] = ()

    def findings(self, snapshot: Snapshot) -> Iterator[Finding]:
        for trouble in self.troubles:
            yield _finding(snapshot, self.name, trouble)
        for doubt in self.doubts:
            yield _finding(snapshot, self.name, doubt, Severity.HINT)
        for gap in self.gaps:
            yield _incomplete(snapshot, self.name, gap)
        for volume in self.volumes:
            if volume.problem:
                yield _finding(snapshot, volume.path, volume.problem, volume.severity)


class DiskPointChecker:
    """Remembers the volumes it looked at. Raises ``StorageError`` and nothing else."""

    def __init__(self, reader: BlobReader) -> None:
        """The reader's index knows which blobs are missing or damaged."""
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
            looked = [self._disk(browser, disk.name, on_volume) for disk in disks]
        return DiskPointCheck(
            snapshot,
            disks=sum(disk.is_readable for disk in looked),
            unknown=sum(not disk.is_readable for disk in looked),
            volumes=tuple(volume for disk in looked for volume in disk.volumes),
            findings=tuple(finding for disk in looked for finding in disk.findings(snapshot)),
            complete=not any(disk.gaps for disk in looked),
        )

    def _disk(
        self, browser: DeepBrowser, disk: bytes, on_volume: Callable[[str], None]
    ) -> _DiskCheck:
        name = disk.decode("utf-8", "replace")
        try:
            layout = _layout(browser, disk)
            troubles = tuple(self._troubles(browser, disk, layout))
            gaps = _gaps(browser, disk)
            cut = {gap.volume for gap in gaps}
            volumes = tuple(self._volumes(browser, disk, layout, cut, on_volume))
        except (IntegrityError, NoSuchPointError, UnsupportedVersionError) as exc:
            return _DiskCheck(name=name, is_readable=False, troubles=(exc.message,))
        return _DiskCheck(
            name=name, troubles=troubles, doubts=tuple(_doubts(layout)), gaps=gaps, volumes=volumes
        )

    def _volumes(
        self,
        browser: DeepBrowser,
        disk: bytes,
        layout: DiskLayout,
        cut: Collection[int | None],
        on_volume: Callable[[str], None],
    ) -> Iterator[VolumeCheck]:
        """``cut`` are the numbers of those that had bad sectors."""
        for number, extent in sorted(_expected(layout).items()):
            name = b"volume%d" % number
            path = (disk, name)
            shown = f"{disk.decode()}/{name.decode()}"
            on_volume(shown)
            try:
                # Bad sectors stand elsewhere in the restore point, and change what can be opened.
                same = None if browser.omissions() else browser.find(stored_folder(path)).subtree
                known = self._seen.get((same, extent)) if same else None
                checked = known or check_volume(
                    browser,
                    path,
                    extent,
                    is_lost=self._reader.is_lost,
                    has_bad_sectors=number in cut,
                )
                self._seen[same, extent] = checked
            except (IntegrityError, NoSuchPointError, UnsupportedVersionError) as exc:
                checked = VolumeCheck("", None, None, exc.message)
            yield replace(checked, path=shown)

    def _troubles(self, browser: DeepBrowser, disk: bytes, layout: DiskLayout) -> Iterator[str]:
        """What is wrong beside the volumes."""
        folder = (b"disks", disk.removeprefix(b"disk"))
        heads = [area.extent.start for area in layout.areas if area.kind is AreaKind.HEAD]
        if layout.table.kind is not TableKind.NONE and heads != [0]:
            yield "layout.json names no image of the disk's head."
        for area in layout.areas:
            try:
                path = (*folder, area.name.encode())
                content = measure(browser, path, self._reader.is_lost)
                yield from content.troubles(area.extent.size, area.name)
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


def _doubts(layout: DiskLayout) -> Iterator[str]:
    """Partitions that nobody knows of: every byte is there, but what it means is not."""
    if layout.table.undivided:
        flaws = " ".join(layout.table.flaws)
        yield f"Its partition table was damaged when it was backed up: {flaws}"


def _gaps(browser: DeepBrowser, disk: bytes) -> tuple[Gap, ...]:
    """What the backup could not read of that disk."""
    number = int(disk.removeprefix(b"disk"))
    volumes: Sequence[Volume] = ()
    with suppress(IntegrityError, UnsupportedVersionError):
        # A volume that cannot be read at all is told elsewhere.
        volumes = DiskInPoint(browser, number).volumes
    return find_gaps(browser, number, volumes, whole_disk=True)


def _incomplete(snapshot: Snapshot, disk: str, gap: Gap) -> Finding:
    return Finding(
        Severity.HINT,
        f"snapshots/{snapshot.id}",
        f"restore point {snapshot.short_id}, {disk}: {gap.words}",
        "It is so since it was backed up: nothing can be mended here.",
    )


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
