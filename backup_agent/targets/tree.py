"""A restored tree, written to a folder.

What cannot be made or set as recorded is an ``ItemSkipped`` event and the run
goes on; a full, read-only or failing disk is a ``TargetError`` and ends it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from backup_agent.errors import TargetError, UnsafePathError
from backup_agent.model.events import Emit, ItemSkipped, Notice
from backup_agent.model.node import Node, NodeKind
from backup_agent.targets import posix
from backup_agent.targets.confined import ConfinedFolders
from backup_agent.targets.descriptors import DescriptorCache
from backup_agent.targets.durable import WrittenFileSystems
from backup_agent.targets.metadata import Shortfall, apply_metadata
from backup_agent.targets.path import RelPath, shown
from backup_agent.targets.unfinished import remove_leftovers, reopen_unfinished

# Together well below the usual limit of 1,024 descriptors a process, sockets to come on top.
_OPEN_FOLDERS = 96
_OPEN_FILES = 160
_ZEROS = bytes(1 << 20)
_GRAIN = 64 << 10
"""Smaller holes save next to nothing and make many small writes."""


class TreeTarget:
    """Writes below ``root`` and nowhere else; all methods may be called from several threads.

    The order for one item: ``make_*``, then for a file ``write_at`` as often
    and in whatever order, ``read_at`` to verify, ``finish_file``; a folder is
    made before what it holds and finished after it. ``make_*`` returns whether
    the item stands there now; what does not was reported, and further calls for it do nothing.

    What stood in the target before: folders are kept and get the recorded
    metadata; everything else, symbolic links included, is replaced by what the
    tree has under its name. Folders that are not empty are not replaced. A file
    stands under a temporary name until it is finished, so an older one stays
    whole until the new one is; what is not finished is removed in the end, and
    what a killed run left unfinished when the next one comes to its folder.

    Names that are no file names, and two of the same name in one folder, raise
    :class:`UnsafePathError`: only a hostile or corrupt tree has them.
    """

    def __init__(self, root: Path, *, emit: Emit, own: bool | None = None) -> None:
        """``own``: restore owners; ``None`` does so when root, and reports what that leaves out.

        Raises :class:`TargetError` where the folder cannot be made or opened.
        """
        self._root = root
        self._own = posix.is_privileged() if own is None else own
        self._owners_wanted = own is not False
        self._emit = emit
        self._folders = ConfinedFolders(root, limit=_OPEN_FOLDERS)
        self._files = DescriptorCache[RelPath](limit=_OPEN_FILES)
        self._written = WrittenFileSystems()
        self._lock = Lock()
        self._names: dict[RelPath, set[bytes]] = {}
        self._failed: set[RelPath] = set()
        self._unfinished: dict[RelPath, bytes] = {}
        self._foreign_owners = 0
        self._enter(())

    def make_folder(self, path: RelPath) -> bool:
        """A folder, writable until it is finished. The root, ``()``, always stands."""
        if path:
            self._claim(path)
            with self._reporting(path), self._folders.parent(path) as (parent, name):
                is_new = posix.make_folder(name, within=parent)
                if not is_new:
                    self._enter(path)
        return self._stands(path)

    def make_file(self, path: RelPath, node: Node) -> bool:
        """A file of the node's size, all of it a hole so far."""
        self._claim(path)
        with self._reporting(path), self._folders.parent(path) as (parent, name):
            posix.make_way(name, within=parent)
            temporary, descriptor = posix.make_file(node.size, within=parent)
            with self._lock:
                self._unfinished[path] = temporary
            self._files.add(path, descriptor)
        return self._stands(path)

    def write_at(self, path: RelPath, offset: int, data: bytes | memoryview) -> None:
        """Put content in its place. Zeros stay a hole, where they fill 64 KiB of the file."""
        if self._stands(path) and not _is_zero(data):
            with self._reporting(path), self._files.borrow(path, self._reopen) as file:
                for start, stretch in _stretches(memoryview(data), offset):
                    posix.write_at(file, start, stretch)

    def read_at(self, path: RelPath, offset: int, length: int) -> bytes:
        """What the file holds there, to be compared before it is finished. Short only at its end.

        Raises :class:`TargetError`.
        """
        try:
            with self._files.borrow(path, self._reopen) as file:
                return posix.read_at(file, offset, length)
        except OSError as exc:
            raise TargetError(f"Cannot read back {shown(path)}: {exc.strerror}") from exc

    def finish_file(self, path: RelPath, node: Node) -> bool:
        """Set the metadata, then give the file its name; whether it stands under it now."""
        if self._stands(path):
            with self._reporting(path), self._folders.parent(path) as (parent, name):
                with self._files.borrow(path, self._reopen) as file:
                    self._report(path, apply_metadata(file, node, own=self._own))
                posix.put_in_place(self._temporary(path), name, within=parent)
                with self._lock:
                    del self._unfinished[path]
        self._files.discard(path)
        self._remove_unfinished(path)
        return self._stands(path)

    def discard_file(self, path: RelPath) -> None:
        """Take away a file whose content turned out damaged: half a file is a false one."""
        self._files.discard(path)
        self._remove_unfinished(path)
        with self._lock:
            self._failed.add(path)

    def link_file(self, path: RelPath, existing: RelPath) -> bool:
        """A hard link to a file that was made before, finished or not."""
        self._claim(path)
        with (
            self._reporting(path),
            self._folders.parent(existing) as (existing_parent, existing_name),
            self._folders.parent(path) as (parent, name),
        ):
            if not self._stands(existing):
                # What stands under that name is an older file.
                raise OSError(errno.ENOENT, f"{shown(existing)}, the same file, was not restored")
            existing_name = self._unfinished.get(existing, existing_name)
            posix.make_link(name, existing_name, within=parent, existing_within=existing_parent)
        return self._stands(path)

    def make_other(self, path: RelPath, node: Node) -> bool:
        """A symbolic link, device or fifo with its metadata; sockets are left out with a notice."""
        self._claim(path)
        if node.kind is NodeKind.SOCKET:
            self._emit(Notice(f"{shown(path)}: sockets are not restored, programs make them anew"))
            return False
        with self._reporting(path), self._folders.parent(path) as (parent, name):
            posix.make_other(name, node, within=parent)
            with posix.handle_on(name, within=parent) as made:
                self._report(path, apply_metadata(made, node, own=self._own))
        return self._stands(path)

    def finish_folder(self, path: RelPath, node: Node, *, on_the_way: bool = False) -> None:
        """The folder's own metadata, once nothing more is written in it.

        ``on_the_way``: nobody asked for it, it only leads to what was asked for. Whose it was
        is not worth a word then: ``/`` and ``/home`` always belong to somebody else.
        """
        with self._lock:
            self._names.pop(path, None)
        if self._stands(path):
            with self._reporting(path), self._folders.folder(path) as folder:
                shortfall = apply_metadata(folder, node, own=self._own)
                foreign = shortfall.foreign_owner and not on_the_way
                self._report(path, Shortfall(shortfall.problems, foreign_owner=foreign))

    def make_durable(self) -> None:
        """Wait until all that was finished is on the disk. Raises :class:`TargetError`."""
        try:
            self._written.sync()
        except OSError as exc:
            raise TargetError(
                f"Not everything restored to {self._root} reached its disk: {exc.strerror}",
                hint="Check the disk's health and its free space, then restore again.",
            ) from exc

    def close(self) -> None:
        """Release what is open, remove unfinished files, say what concerns the whole run."""
        self._files.close()
        for path in list(self._unfinished):
            self._remove_unfinished(path)
        self._folders.close()
        self._written.close()
        if self._foreign_owners and self._owners_wanted:
            self._emit(
                ItemSkipped(
                    path=".",
                    reason=f"{self._foreign_owners:,} items belonged to other users;"
                    " only root can restore owners",
                    during="restore",
                )
            )

    def _enter(self, path: RelPath) -> None:
        """Take up work in a folder that was there before us."""
        with self._folders.folder(path) as folder:
            self._written.add(folder)
            remove_leftovers(within=folder)

    def _reopen(self, path: RelPath) -> int:
        with self._folders.parent(path) as (parent, _):
            return reopen_unfinished(self._temporary(path), within=parent)

    def _temporary(self, path: RelPath) -> bytes:
        try:
            return self._unfinished[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None

    def _remove_unfinished(self, path: RelPath) -> None:
        with self._lock:
            temporary = self._unfinished.pop(path, None)
        if temporary is not None:
            # A leftover harms nobody, and its name says what it is.
            with suppress(OSError), self._folders.parent(path) as (parent, _):
                posix.remove_file(temporary, within=parent)

    def _claim(self, path: RelPath) -> None:
        """Take the name in its folder. Raises :class:`UnsafePathError`."""
        with self._lock:
            names = self._names.setdefault(path[:-1], set())
            if path[-1] in names:
                raise UnsafePathError(
                    f"The restore point holds two entries called {shown(path)}.",
                    hint="The repository was damaged or tampered with. Run everboot check.",
                )
            names.add(path[-1])

    def _stands(self, path: RelPath) -> bool:
        return not self._failed or path not in self._failed

    @contextmanager
    def _reporting(self, path: RelPath) -> Iterator[None]:
        """Turn the system's errors into news of this item, or into the end of the run."""
        try:
            yield
        # ValueError: a NUL in a link's target; OverflowError: a size or device out of range.
        except (OSError, ValueError, OverflowError) as exc:
            if fatal := posix.run_ending(exc, f"{shown(path)} in {self._root}"):
                raise fatal from exc
            with self._lock:
                self._failed.add(path)
            self._report(path, Shortfall((posix.reason(exc),)))

    def _report(self, path: RelPath, shortfall: Shortfall) -> None:
        for problem in shortfall.problems:
            self._emit(ItemSkipped(path=shown(path), reason=problem, during="restore"))
        if shortfall.foreign_owner:
            with self._lock:
                self._foreign_owners += 1


def _stretches(data: memoryview, offset: int) -> Iterator[tuple[int, memoryview]]:
    """What is to be written and where: all but the grains of the file that hold only zeros."""
    begin = start = 0
    while start < len(data):
        end = min(start + _GRAIN - (offset + start) % _GRAIN, len(data))
        if _is_zero(data[start:end]):
            if begin < start:
                yield offset + begin, data[begin:start]
            begin = end
        start = end
    if begin < len(data):
        yield offset + begin, data[begin:]


def _is_zero(data: bytes | memoryview) -> bool:
    """Whether nothing but zeros is in it; a single memcmp, which ends at the first other byte."""
    view = memoryview(data)
    return all(
        _ZEROS.startswith(view[start : start + len(_ZEROS)])
        for start in range(0, len(view), len(_ZEROS))
    )
