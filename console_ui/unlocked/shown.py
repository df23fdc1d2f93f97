"""A restore point as people browse it: disks and volumes by what they are called, not stored as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backup_agent.errors import IntegrityError, NoSuchPointError
from backup_agent.model.disk import Volume
from backup_agent.model.node import Node
from backup_agent.services.browse import TreePath
from backup_agent.services.folder_order import folders_first
from backup_agent.services.inside import DeepBrowser
from console_ui.unlocked.messages import Entry
from console_ui.unlocked.references import Item, References

_STORED = frozenset({b"disks", b"machine.json"})
_ABOUT_THE_POINT = b".everboot"
_DISK, _VOLUME = b"disk", b"volume"


class ShownPoint:
    """One restore point, its items as entries with references. Not for several threads."""

    def __init__(self, point: str, browser: DeepBrowser, references: References) -> None:
        self._point = point
        self._browser = browser
        self._references = references
        self._disks = frozenset(node.name for node in browser.disks())
        self._hidden = {_ABOUT_THE_POINT} | (_STORED if self._disks else set())

    def is_hidden(self, path: TreePath) -> bool:
        """Whether it belongs to how a restore point is stored: nobody backed that up."""
        return bool(path) and path[0] in self._hidden

    def children(self, folder: TreePath) -> Sequence[Node]:
        """What stands in a folder: folders first, then by name, whatever its case."""
        nodes = self._browser.list_folder(folder)
        if not folder:
            nodes = [node for node in nodes if node.name not in self._hidden]
        return nodes if self._is_disk(folder) else folders_first(nodes)

    def entry(self, path: TreePath, node: Node, *, folder: str = "") -> Entry:
        reference = self._references.give(Item(self._point, path))
        if self._is_disk(path):
            return Entry(reference, "", "disk", number=_number(path[0], _DISK) + 1)
        if self._is_disk(path[:-1]) and len(path) == 2:
            number, described = _number(path[1], _VOLUME), self._described(path)
            size = described.size if described else 0
            return Entry(reference, _label(described), "volume", size=size, number=number)
        return Entry(
            reference,
            shown_name(node.name),
            node.kind.value,
            size=node.size,
            mtime_ns=node.mtime_ns,
            folder=folder,
        )

    def trail(self, path: TreePath) -> tuple[Entry, ...]:
        """The folders that lead to a path, itself included, which the browser knows to be there."""
        found = (self._browser.find(path[:depth]) for depth in range(1, len(path) + 1))
        return tuple(self.entry(path[:depth], node) for depth, node in enumerate(found, start=1))

    def where(self, path: TreePath) -> str:
        """The folder of a hit, for people."""
        return " / ".join(self._names(path[:-1]))

    def _names(self, path: TreePath) -> Iterable[str]:
        for depth, name in enumerate(path, start=1):
            is_volume = depth == 2 and self._is_disk(path[:1])
            yield (_label(self._described(path[:depth])) if is_volume else "") or shown_name(name)

    def _is_disk(self, path: TreePath) -> bool:
        return len(path) == 1 and path[0] in self._disks

    def _described(self, volume: TreePath) -> Volume | None:
        try:
            return self._browser.volume(volume).description
        except (IntegrityError, NoSuchPointError):
            return None


def _label(volume: Volume | None) -> str:
    """``Projects (D:)``, or as much of it as is known."""
    if volume is None:
        return ""
    letter = f"{volume.drive_letter.rstrip(':')}:" if volume.drive_letter else ""
    if volume.file_system.label and letter:
        return f"{volume.file_system.label} ({letter})"
    return volume.file_system.label or letter


def shown_name(name: bytes) -> str:
    r"""Bytes that are no UTF-8 are shown as ``\xff``."""
    return name.decode("utf-8", "backslashreplace")


def _number(name: bytes, lead: bytes) -> int:
    digits = name.removeprefix(lead)
    return int(digits) if digits.isdigit() else 0
