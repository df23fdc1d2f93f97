"""Folders and files of this computer, as a source for backups."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from operator import attrgetter

import msgspec

from backup_agent.errors import UnreadableError, UsageError
from backup_agent.format.tree import encode_head
from backup_agent.model.disk import Extent
from backup_agent.model.node import Node, NodeKind
from backup_agent.sources import posix
from backup_agent.sources.entry import ByteStream, Chunking, Entry
from backup_agent.sources.filters import Filters, is_cache_tag


# A msgspec.Struct for the same reason as Node: one for every file that is looked at.
class TreeEntry(msgspec.Struct, gc=False):
    """One item found on disk. ``only`` limits a folder on the way to what was asked for."""

    name: bytes
    path: bytes
    kind: NodeKind
    size: int
    """Of a file; of anything else it means nothing."""
    found: os.stat_result | None
    """What lstat said, ``None`` where that failed."""
    only: frozenset[bytes] | None = None
    failure: str = ""
    """Why its metadata could not be read."""
    mtime_from_content: bool = False
    _node: Node | None = None

    @property
    def node(self) -> Node:
        if self._node is None:
            self._node = (
                Node(name=self.name, kind=NodeKind.IRREGULAR)
                if self.found is None
                else posix.node_of(self.name, self.found)
            )
        return self._node

    def head(self) -> bytes:
        if self.kind is NodeKind.FILE and self.found:
            return posix.file_head(self.name, self.found)
        return encode_head(self.node)


class FileTree:
    """The trees below some paths, each with the whole chain of folders that leads to it.

    Symbolic links are stored, never followed, but for those on the way to a
    path that was asked for.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        filters: Filters | None = None,
        one_file_system: bool = False,
    ) -> None:
        """Raises ``UsageError`` for paths that do not exist."""
        if not paths:
            raise UsageError("Nothing to back up was named.", hint="everboot backup PATH …")
        absolute = sorted({os.path.abspath(path) for path in paths})
        for path in absolute:
            if not os.path.lexists(path):
                raise UsageError(f"{path} does not exist.", hint="Check the path.")
        # As the restore point can hold them, so that the next run finds its parent by them.
        self._paths = tuple(os.fsencode(path).decode("utf-8", "replace") for path in absolute)
        self._filters = filters or Filters()
        wanted = [os.fsencode(path) for path in absolute]
        self._ways = _ways_to(wanted)
        self._devices = {os.lstat(path).st_dev for path in wanted} if one_file_system else None

    @property
    def paths(self) -> tuple[str, ...]:
        return self._paths

    @property
    def left_out(self) -> tuple[str, ...]:
        # What patterns exclude is not looked at; the restore point names the patterns.
        return ()

    def roots(self) -> Sequence[Entry]:
        return self._list(b"/", self._ways.get(b"/"), device=None)

    def children(self, folder: Entry) -> Sequence[Entry]:
        assert isinstance(folder, TreeEntry)
        return self._list(folder.path, folder.only, device=folder.node.device_id)

    def complete(self, entry: Entry) -> Node:
        assert isinstance(entry, TreeEntry)
        node = entry.node
        if entry.failure:
            raise UnreadableError(entry.failure)
        try:
            target = os.readlink(entry.path) if node.kind is NodeKind.SYMLINK else b""
            xattrs = posix.read_xattrs(entry.path)
        except OSError as exc:
            raise UnreadableError(_reason(exc)) from exc
        return msgspec.structs.replace(node, link_target=target, xattrs=xattrs)

    def open(self, file: Entry) -> ByteStream:
        assert isinstance(file, TreeEntry)
        try:
            return FileStream(posix.open_for_reading(file.path), file.node)
        except OSError as exc:
            raise UnreadableError(_reason(exc)) from exc

    def _list(
        self, folder: bytes, only: frozenset[bytes] | None, *, device: int | None
    ) -> list[Entry]:
        if only is not None:
            return self._on_the_way(folder, only)
        if self._devices is not None and device is not None and device not in self._devices:
            # A mount point is kept as an empty folder, so that it is there to mount on again.
            return []
        try:
            with os.scandir(folder) as listing:
                found = sorted(listing, key=attrgetter("name"))
        except OSError as exc:
            raise UnreadableError(_reason(exc)) from exc
        if self._filters.excludes_content_of(folder):
            found = [entry for entry in found if is_cache_tag(entry.name)]
        entries: list[Entry] = []
        for item in found:
            try:
                facts = item.stat(follow_symlinks=False)
                entry = _known(item.name, item.path, facts)
            except OSError as exc:
                entry = _unknown(item.name, item.path, exc)
            entries.append(entry)
        if not self._filters.has_patterns:
            return entries
        excludes = self._filters.excludes
        return [e for e in entries if not excludes(e.path, e.kind is NodeKind.FOLDER)]

    def _on_the_way(self, folder: bytes, only: Iterable[bytes]) -> list[Entry]:
        """The items of a folder that lead to what was asked for, or are it: never excluded."""
        entries: list[Entry] = []
        for name in sorted(only):
            path = os.path.join(folder, name)
            way = self._ways.get(path)
            try:
                # Somebody who asks for /link/folder means the folder behind the link.
                found = os.stat(path, follow_symlinks=way is not None)
                entries.append(_known(name, path, found, only=way))
            except OSError as exc:
                entries.append(_unknown(name, path, exc))
        return entries


class FileStream:
    """One file's bytes. Remembers what lstat said, to notice a change while it was read."""

    def __init__(self, file: int, node: Node) -> None:
        self._file = file
        self._node = node
        self._read = 0

    @property
    def chunking(self) -> Chunking:
        return Chunking.CONTENT

    def readinto(self, buffer: memoryview) -> int:
        filled = 0
        try:
            while filled < len(buffer):
                got = posix.readinto(self._file, buffer[filled:])
                filled += got
                self._read += got
                # A read that ends where the file should spares another to see that it does.
                if got == 0 or (filled < len(buffer) and self._read == self._node.size):
                    break
        except OSError as exc:
            raise UnreadableError(_reason(exc)) from exc
        return filled

    def changed(self) -> str:
        before = self._node
        now = os.fstat(self._file)
        if self._read != before.size == now.st_size:
            return f"it gave {self._read} bytes although its size says {before.size}"
        if now.st_size != before.size:
            return f"its size went from {before.size} to {now.st_size} bytes while it was read"
        if now.st_mtime_ns != before.mtime_ns or now.st_ino != before.inode:
            return "it was written to while it was read"
        return ""

    def unreadable(self) -> Sequence[Extent]:
        return ()

    def close(self) -> None:
        os.close(self._file)


def _known(
    name: bytes, path: bytes, found: os.stat_result, only: frozenset[bytes] | None = None
) -> TreeEntry:
    return TreeEntry(name, path, posix.kind_of(found.st_mode), found.st_size, found, only)


def _unknown(name: bytes, path: bytes, exc: OSError) -> TreeEntry:
    """Stands for an item whose metadata could not be read, until ``complete`` says so."""
    return TreeEntry(name, path, NodeKind.IRREGULAR, 0, None, failure=_reason(exc))


def _ways_to(paths: Sequence[bytes]) -> dict[bytes, frozenset[bytes]]:
    """For each folder above a wanted path, which of its items lead on. A path below another
    wanted one adds nothing.
    """
    ways: dict[bytes, set[bytes]] = {}
    taken: set[bytes] = set()
    for path in sorted(paths):
        parents = _parents(path)
        if taken.isdisjoint([path, *parents]):
            taken.add(path)
            for parent, name in zip(parents, path.split(b"/")[1:], strict=False):
                ways.setdefault(parent, set()).add(name)
    return {folder: frozenset(names) for folder, names in ways.items()}


def _parents(path: bytes) -> list[bytes]:
    """``/a/b/c`` gives ``/``, ``/a``, ``/a/b``; the root has none."""
    if path == b"/":
        return []
    parts = path.split(b"/")[1:-1]
    return [b"/"] + [b"/" + b"/".join(parts[: n + 1]) for n in range(len(parts))]


def _reason(exc: OSError) -> str:
    if exc.errno == errno.ENOENT:
        return "It vanished before it was read."
    return f"{exc.strerror or exc}"
