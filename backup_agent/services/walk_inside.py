"""A walk through the files inside the volumes of a disk restore point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backup_agent.errors import IntegrityError, UnreadableError
from backup_agent.model.node import NodeKind
from backup_agent.services.browse import Found, Step, TreePath, Unreachable, leads_to


class Insides(Protocol):
    """What is walked through. Raises ``UnreadableError``, ``IntegrityError``, ``StorageError``."""

    def disk_items(self) -> Sequence[Found]: ...

    def children(self, folder: Found) -> Sequence[Found]: ...

    def child(self, folder: Found, name: bytes) -> Found | None: ...

    def has_files(self, path: TreePath) -> bool:
        """Whether the disk, volume or folder at that path can be looked into."""
        ...

    def refuse_lost_data(self, path: TreePath) -> None:
        """Raises ``UnreadableError`` for a volume without files that holds data all the same."""
        ...


@dataclass(slots=True)
class WalkInside:
    """Depth first, what is ``wanted`` and the folders that lead there.

    Each folder comes before what it holds and again, ``leaving``, after it. Who
    ``only_looks`` is not told of volumes that hold data and no files.
    """

    insides: Insides
    wanted: Sequence[TreePath]
    only_looks: bool
    _entered: set[tuple[TreePath, int]] = field(default_factory=set)

    def steps(self) -> Iterator[Step]:
        stack: list[tuple[Found | None, Iterator[Found]]] = [
            (None, iter(self.insides.disk_items()))
        ]
        while stack:
            own, items = stack[-1]
            found = next(items, None)
            if found is None:
                stack.pop()
                if own is not None:
                    yield Found(own.path, own.node, leaving=True)
                continue
            if not leads_to(found.path, self.wanted):
                continue
            yield found
            if found.node.kind is NodeKind.FOLDER:
                inner: Sequence[Found] = ()
                try:
                    inner = self._inside(found)
                except (IntegrityError, UnreadableError) as exc:
                    yield Unreachable(found.path, exc)
                stack.append((found, iter(inner)))

    def _inside(self, folder: Found) -> Sequence[Found]:
        self._enter(folder)
        if self.insides.has_files(folder.path) or folder.path in self.wanted:
            return self._wanted_children(folder)
        if not self.only_looks:
            self.insides.refuse_lost_data(folder.path)
        return ()

    def _wanted_children(self, folder: Found) -> Sequence[Found]:
        """All children, or only the wanted ones of a folder on the way to them."""
        depth = len(folder.path)
        if any(path == folder.path[: len(path)] for path in self.wanted):
            return self.insides.children(folder)
        names = {path[depth]: None for path in self.wanted if path[:depth] == folder.path}
        found = (self.insides.child(folder, name) for name in names)
        return [child for child in found if child is not None]

    def _enter(self, folder: Found) -> None:
        """No folder has two places, but in a file system made to be walked through for ever."""
        if len(folder.path) > 2 and folder.node.inode:
            same = (folder.path[:2], folder.node.inode)
            if same in self._entered:
                raise UnreadableError("The same folder was met before: the file system is damaged.")
            self._entered.add(same)
