"""Paths that cannot leave the target, and the open folders they lead through.

A stored name is only ever used as one component below the descriptor of its
folder, and no component is a symbolic link when it is walked through. So what
is written stays below the root: whatever the names are, whatever links the
stored tree holds, whatever stood in the target before, and however others
shuffle it meanwhile. It also makes paths longer than ``PATH_MAX`` work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_agent.targets import posix
from backup_agent.targets.descriptors import DescriptorCache
from backup_agent.targets.path import RelPath, refuse_unsafe_name


class ConfinedFolders:
    """The folders below one root, opened component by component and kept while they are in use."""

    def __init__(self, root: Path, *, limit: int) -> None:
        self._open = DescriptorCache[RelPath](limit=limit)
        self._open.pin((), posix.open_root(root))

    @contextmanager
    def parent(self, path: RelPath) -> Iterator[tuple[int, bytes]]:
        """The open folder that holds ``path``, and its name in it; raises like :meth:`folder`."""
        refuse_unsafe_name(path[-1])
        with self.folder(path[:-1]) as descriptor:
            yield descriptor, path[-1]

    @contextmanager
    def folder(self, path: RelPath) -> Iterator[int]:
        """A descriptor of the folder, good inside the ``with``.

        Raises :class:`UnsafePathError`, and ``OSError`` where a component is
        missing or is no folder (``ENOTDIR`` for a symbolic link).
        """
        with self._open.borrow(path, self._open_below) as descriptor:
            yield descriptor

    def _open_below(self, path: RelPath) -> int:
        """Walk down from the nearest folder that is open already; no recursion, trees may be deep.

        The folders on the way stay open too, the lowest ones longest: a restore
        that comes back up through a deep tree finds them there.
        """
        nearest = len(path) - 1
        while path[:nearest] not in self._open:
            nearest -= 1
        with self._open.borrow(path[:nearest]) as start:
            current = _open_folder(path[nearest], within=start)
        for depth in range(nearest + 1, len(path)):
            try:
                below = _open_folder(path[depth], within=current)
            finally:
                self._open.add(path[:depth], current)
            current = below
        return current

    def close(self) -> None:
        self._open.close()


def _open_folder(name: bytes, *, within: int) -> int:
    refuse_unsafe_name(name)
    return posix.open_folder(name, within=within)
