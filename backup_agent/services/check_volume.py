"""Whether one stored volume is whole: its parts, their blobs, and the file system in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.format.disk_layout import decode_volume
from backup_agent.model.disk import Extent, Volume, joined
from backup_agent.model.disk_check import VolumeCheck
from backup_agent.model.finding import Severity
from backup_agent.model.ids import BlobId
from backup_agent.services.browse import PointBrowser, TreePath, show_path
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.volume_in_point import VolumeInPoint

IsLost: TypeAlias = Callable[[BlobId], bool]
"""Whether a data blob is known to be missing or damaged."""

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What is there of a file: how many bytes, and which of them are ``lost`` all the same."""

    size: int
    lost: tuple[Extent, ...]

    def troubles(self, size: int, name: str) -> Iterator[str]:
        """In words, what of the ``size`` bytes that it should have it has not."""
        if self.size != size:
            yield f"{name} has {self.size} bytes instead of {size}."
        if self.lost:
            yield f"{_bytes_words(self.lost)} of {name} are missing or damaged."


def measure(browser: PointBrowser, path: TreePath, is_lost: IsLost) -> StoredContent:
    """Out of trees and index. Raises ``IntegrityError``, ``NoSuchPointError``."""
    node = browser.find(path)
    lost: list[Extent] = []
    place = 0
    for blob, length in browser.blobs(node):
        if is_lost(blob):
            lost.append(Extent(place, length))
        place += length
    return StoredContent(min(node.size, place), tuple(joined(lost)))


def check_volume(
    browser: DeepBrowser,
    path: TreePath,
    place: Extent,
    *,
    is_lost: IsLost,
    has_bad_sectors: bool,
) -> VolumeCheck:
    """``path`` is where it is shown (``disk0/volume2``), ``place`` where it lies on its disk.

    Raises ``IntegrityError``, ``NoSuchPointError``.
    """
    folder = stored_folder(path)
    node = browser.find((*folder, b"volume.json"))
    described = decode_volume(b"".join(browser.content(node)))
    kind = described.file_system.kind
    for trouble in _contradictions(folder, described, place):
        return VolumeCheck("", kind, None, trouble)
    lost: list[Extent] = []
    for number, part in enumerate(described.parts()):
        content = measure(browser, (*folder, b"image", b"%04d" % number, b"part"), is_lost)
        if content.size != part.size:
            (trouble, *_) = content.troubles(part.size, f"part {number}")
            return VolumeCheck("", kind, None, trouble)
        lost += [Extent(part.start + extent.start, extent.size) for extent in content.lost]
    volume = browser.volume(path)
    opened = _open(volume, excused=has_bad_sectors or _is_known_damaged(described))
    return _with_losses(opened, volume, tuple(joined(lost))) if lost else opened


def stored_folder(volume: TreePath) -> TreePath:
    """``/disks/0/volumes/2`` for ``/disk0/volume2``."""
    disk, number = volume
    return b"disks", disk.removeprefix(b"disk"), b"volumes", number.removeprefix(b"volume")


def _contradictions(folder: TreePath, described: Volume, place: Extent) -> Iterator[str]:
    if folder[-1] != b"%d" % described.number:
        yield f"volume.json describes volume {described.number}."
    elif described.extent != place:
        yield (
            f"volume.json tells of {described.size} bytes at {described.start}, "
            f"layout.json of {place.size} at {place.start}."
        )


def _is_known_damaged(described: Volume) -> bool:
    """Whether the backup could not make sense of it either, and said so: it is what it was."""
    return described.used_bytes is None or bool(described.remarks)


def _open(volume: VolumeInPoint, *, excused: bool) -> VolumeCheck:
    """``excused``: that it does not open has a cause that is older than the backup."""
    kind = volume.description.file_system.kind
    if not volume.is_readable:
        return VolumeCheck("", kind, None)
    try:
        volume.tree.list_folder(volume.tree.root)
        root_problem = volume.tree.item(volume.tree.root).problem
    except UnreadableError as exc:
        if excused:
            problem = f"Its {kind} file system was damaged when it was backed up: {exc.message}"
            return VolumeCheck("", kind, False, problem, Severity.HINT)
        return VolumeCheck("", kind, False, f"Its {kind} file system does not open: {exc.message}")
    except IntegrityError as exc:
        return VolumeCheck("", kind, False, f"Its {kind} file system does not open: {exc.message}")
    if root_problem:
        when = " when it was backed up" if excused else ""
        problem = f"The root folder of its {kind} file system was damaged{when}: {root_problem}"
        return VolumeCheck("", kind, True, problem, Severity.HINT if excused else Severity.ERROR)
    return VolumeCheck("", kind, True)


def _with_losses(opened: VolumeCheck, volume: VolumeInPoint, lost: Sequence[Extent]) -> VolumeCheck:
    words = [f"{_bytes_words(lost)} of it are missing or damaged.", opened.problem]
    if opened.opens:
        words.append(_hit_files(volume, lost))
    problem = " ".join(filter(None, words))
    return VolumeCheck("", opened.file_system, opened.opens, problem)


def _hit_files(volume: VolumeInPoint, lost: Sequence[Extent]) -> str:
    try:
        hit = volume.tree.hit_files(lost)
    except (UnreadableError, IntegrityError) as exc:
        return f"Which files that hits cannot be told: {exc.message}"
    unread = (
        ""
        if hit.is_complete
        else " Part of its folders cannot be read: there may be more, and they cannot be told."
    )
    if not hit.paths:
        return f"No file's content is hit.{unread}" if hit.is_complete else unread.strip()
    names = [show_path(tuple(path.split(b"/")[1:])) for path in hit.paths[:_MOST_NAMED]]
    more = f" and {len(hit.paths) - len(names)} more" if len(hit.paths) > len(names) else ""
    return f"That hits {', '.join(names)}{more}.{unread}"


def _bytes_words(lost: Sequence[Extent]) -> str:
    size = sum(extent.size for extent in lost)
    places = f" in {len(lost)} places" if len(lost) > 1 else ""
    return f"{size} bytes{places} (from byte {lost[0].start} on)"
