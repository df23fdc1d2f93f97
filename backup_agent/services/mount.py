"""A restore point as a folder: looked at, read and copied with any program."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Lock

from backup_agent.errors import EverbootError, IntegrityError, JobCancelledError, LeftOutError
from backup_agent.host.mounting import Handle, ServedItem, ServedPath
from backup_agent.host.select import current_mounter
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, ItemSkipped
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.reader import BlobReader
from backup_agent.services.browse import TreePath, show_path
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.mounted_tree import Content, Entry, MountedTree

_MOST_REMEMBERED = 10_000
"""Failures that are not told again; programs try what failed many times."""


def run_mount(
    reader: BlobReader,
    snapshot: Snapshot,
    folder: Path,
    *,
    others: bool = False,
    on_ready: Callable[[], None],
    emit: Emit,
    cancel: CancelToken,
) -> int:
    """Show a restore point in an empty folder until that is unmounted, or ``cancel``.

    What cannot be read fails for who reads it, and is told in words; returns how
    many things that were, without those that the backup was not to store. ``on_ready``
    is called by another thread, and so may ``emit`` be.

    Raises ``TargetError``, ``UnsupportedError``, ``PrivilegeError``, ``CommandFailedError``.
    """
    with DeepBrowser(reader, snapshot, emit=emit) as browser:
        failures = Failures(emit)
        current_mounter().serve(
            ServedPoint(MountedTree(browser, reader, emit=failures.tell), failures),
            folder,
            name=f"everboot:{snapshot.short_id}",
            others=others,
            on_ready=on_ready,
            cancel=cancel,
        )
        return failures.number


class Failures:
    """What could not be read, told once each, from whichever thread it comes."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._told: set[Event] = set()
        self._lock = Lock()
        self.number = 0

    def tell(self, event: Event, *, is_damage: bool = True) -> None:
        """``is_damage``: it counts."""
        with self._lock:
            if event in self._told:
                return
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told.add(event)
            self.number += is_damage
            self._emit(event)


@dataclass(frozen=True, slots=True)
class _OpenFile:
    path: TreePath
    size: int
    content: Content


class ServedPoint:
    """:class:`~backup_agent.host.mounting.ServedFiles` out of a restore point.

    What programs are told of an error is a number; the words go to ``failures``.
    """

    def __init__(self, tree: MountedTree, failures: Failures) -> None:
        self._tree = tree
        self._failures = failures
        self._open_files: dict[Handle, _OpenFile] = {}
        self._numbers = count(1)

    def look_up(self, path: ServedPath) -> ServedItem:
        with self._failing_as_number(path):
            entry = self._entry(path)
            return ServedItem(entry.node, self._tree.inode(path, entry))

    def list_folder(self, path: ServedPath) -> Iterator[ServedItem]:
        with self._failing_as_number(path):
            entries = self._tree.list_folder(path)
        for entry in entries:
            yield ServedItem(entry.node, self._tree.inode((*path, entry.node.name), entry))

    def open(self, path: ServedPath) -> Handle:
        with self._failing_as_number(path):
            entry = self._entry(path)
            handle = Handle(next(self._numbers))
            self._open_files[handle] = _OpenFile(path, entry.node.size, self._tree.open(entry))
            return handle

    def read(self, handle: Handle, offset: int, size: int) -> bytes:
        file = self._open_files[handle]
        wanted = max(0, min(size, file.size - offset))
        with self._failing_as_number(file.path):
            data = file.content.read_at(offset, wanted) if wanted else b""
            if len(data) != wanted:
                # The system would take what is missing for the file's end, or for zeros.
                raise IntegrityError(
                    f"It gave {len(data)} bytes at {offset}, but has {file.size} in all."
                )
            return data

    def release(self, handle: Handle) -> None:
        del self._open_files[handle]

    def _entry(self, path: TreePath) -> Entry:
        entry = self._tree.look_up(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return entry

    @contextmanager
    def _failing_as_number(self, path: TreePath) -> Iterator[None]:
        try:
            yield
        except JobCancelledError as exc:
            raise OSError(errno.EINTR, os.strerror(errno.EINTR)) from exc
        except EverbootError as exc:
            reason = " ".join(filter(None, (exc.message, exc.hint)))
            event = ItemSkipped(show_path(path), reason, "mount")
            # Nobody is alarmed for what was not to be stored.
            self._failures.tell(event, is_damage=not isinstance(exc, LeftOutError))
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from exc
