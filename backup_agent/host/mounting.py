"""Files shown in a folder that are not there: what the system asks for them, and who passes it on.

A :class:`Mounter` lets programs look at :class:`ServedFiles` through a folder of the
computer, read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NewType, Protocol, TypeAlias

from backup_agent.model.cancel import CancelToken
from backup_agent.model.node import Node

ServedPath: TypeAlias = tuple[bytes, ...]
"""The names from the mounted folder down; the empty tuple is that folder itself."""

Handle = NewType("Handle", int)
"""A file that some program has open; never 0."""


@dataclass(frozen=True, slots=True)
class ServedItem:
    """``inode`` is never 0, and the same for two names of one file only."""

    node: Node
    inode: int


class ServedFiles(Protocol):
    """Asked by several threads. Raises ``OSError`` with the ``errno`` for whoever asked."""

    def look_up(self, path: ServedPath) -> ServedItem: ...

    def list_folder(self, path: ServedPath) -> Iterable[ServedItem]: ...

    def open(self, path: ServedPath) -> Handle: ...

    def read(self, handle: Handle, offset: int, size: int) -> bytes:
        """Fewer bytes than ``size`` only at the file's end."""
        ...

    def release(self, handle: Handle) -> None:
        """The last who had it open closed it."""
        ...


class Mounter(Protocol):
    """One operating system's way to show files in a folder."""

    def serve(
        self,
        files: ServedFiles,
        folder: Path,
        *,
        name: str,
        others: bool,
        on_ready: Callable[[], None],
        cancel: CancelToken,
    ) -> None:
        """Show the files until somebody unmounts the folder, or ``cancel``; then unmount it.

        ``name`` is what lists of mounts show as the source. ``others``: other
        users may look, too, as far as owners and modes of the files let them.
        ``on_ready`` is called, by another thread, when the files are there.

        Raises :class:`~backup_agent.errors.TargetError` for a folder that cannot be
        mounted on, :class:`~backup_agent.errors.UnsupportedError` where the system
        lacks what it takes, :class:`~backup_agent.errors.PrivilegeError`,
        :class:`~backup_agent.errors.CommandFailedError`.
        """
        ...
