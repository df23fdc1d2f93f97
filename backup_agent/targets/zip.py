"""A selection of a restore point as one zip, written front to back.

The stream need not be seekable (a pipe, an HTTP response): sizes and checksums
follow each member in a data descriptor, and the central directory comes last.
A zip without it is broken for every program that reads zips, and that is how a
run ends which could not read everything: no zip ever looks complete and is not.

Memory does not grow with sizes, only by what the central directory needs for
each member. Format: PKWARE's APPNOTE 6.3, and Info-ZIP's notes on extra fields
for the time (``UT``) and for modes in the external attributes.
"""

from __future__ import annotations

import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from types import TracebackType
from typing import Protocol, Self, TypeAlias
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from backup_agent.errors import IntegrityError, TargetError
from backup_agent.model.events import Emit, ItemSkipped, Notice
from backup_agent.model.node import Node, NodeKind
from backup_agent.targets.path import RelPath, shown
from backup_agent.targets.zip_fields import (
    DOS_FOLDER,
    KIND_WORDS,
    LONGEST_NAME,
    MADE_ON_UNIX,
    dos_time,
    unix_time,
)
from backup_agent.targets.zip_names import ArchiveNames

_FAST = 1
"""Level 1: the network is slower than any level gains, and a console serves many."""
_NO_COMPRESSION = 0
"""Deflate's stored blocks, for what is compressed already. The method "stored" would need no
deflate stream, but programs that read zips front to back cannot find the end of such a member."""
_SAMPLE_SIZE = 16 << 10
_WORTHWHILE = 0.97


Chunk: TypeAlias = bytes | memoryview


class Sink(Protocol):
    """Where the zip's bytes go: any binary stream; a raw one may take a part only."""

    def write(self, data: bytes, /) -> int | None: ...


class ZipTarget:
    """Adds members one after the other; use it in a ``with``, whose end completes the zip.

    When the ``with`` is left by an exception, or a member's content raises one,
    nothing more is written, so the zip stays visibly broken; the exception
    propagates. Writing to the stream fails with :class:`TargetError`. The stream is not closed.
    """

    def __init__(self, stream: Sink, *, emit: Emit) -> None:
        self._outlet = _Outlet(stream)
        self._zip = ZipFile(self._outlet, "w")
        self._names = ArchiveNames()
        self._emit = emit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._outlet.cut()
        self.close()

    def add_folder(self, path: RelPath, node: Node) -> None:
        """An entry of its own, so that empty folders and modes are kept."""
        name = self._names.folder(path)
        if self._fits(path, name):
            info = _member(name, node, stat.S_IFDIR)
            info.external_attr |= DOS_FOLDER
            info.compress_type = ZIP_STORED
            info.CRC = 0
            self._zip.mkdir(info)

    def add_file(self, path: RelPath, node: Node, content: Iterable[Chunk]) -> None:
        """A file; further hard links of it are copies.

        Raises what ``content`` raises, and :class:`IntegrityError` when it is not
        as long as the node says.
        """
        name = self._names.entry(path)
        if not self._fits(path, name):
            return
        info = _member(name, node, stat.S_IFREG)
        info.file_size = node.size  # decides on ZIP64 before the content is known
        with self._broken_by_exceptions():
            chunks = iter(content)
            first = next(chunks, b"")
        _set_level(info, _FAST if _is_compressible(first) else _NO_COMPRESSION)
        self._write(info, chain([first], chunks), path=path)

    def add_symlink(self, path: RelPath, node: Node) -> None:
        """A member that holds the link's target, marked by its mode, as Info-ZIP does."""
        name = self._names.entry(path)
        if self._fits(path, name):
            info = _member(name, node, stat.S_IFLNK)
            info.file_size = len(node.link_target)
            self._write(info, [node.link_target], path=path)

    def add_other(self, path: RelPath, node: Node) -> None:
        """What a zip cannot hold is left out, and said so.

        A device or fifo is missing from the zip, where a restore would bring it back. A socket
        is missing nowhere: it has no content, and only the program that listens can make it.
        """
        reason = f"a zip cannot hold a {KIND_WORDS[node.kind]}"
        if node.kind is NodeKind.SOCKET:
            self._emit(Notice(f"{shown(path)}: {reason}; programs make them anew"))
        else:
            self._emit(ItemSkipped(path=shown(path), reason=reason, during="restore"))

    def close(self) -> None:
        """Write the central directory: the zip is complete, unless it was broken before."""
        self._zip.close()

    def _write(self, info: ZipInfo, chunks: Iterable[Chunk], *, path: RelPath) -> None:
        length = 0
        with self._zip.open(info, "w") as member, self._broken_by_exceptions():
            for chunk in chunks:
                length += len(chunk)
                if length > info.file_size:
                    break
                member.write(chunk)
            if length != (expected := info.file_size):
                raise IntegrityError(
                    f"{shown(path)}: the content is not the {expected:,} bytes recorded for it.",
                    hint="Run everboot check --read-data.",
                )

    @contextmanager
    def _broken_by_exceptions(self) -> Iterator[None]:
        """Let nothing follow what failed; ``zipfile`` would end member and zip in good order."""
        try:
            yield
        except BaseException:
            self._outlet.cut()
            raise

    def _fits(self, path: RelPath, name: str) -> bool:
        if len(name.encode()) > LONGEST_NAME:
            self._emit(
                ItemSkipped(
                    path=shown(path), reason="its path is too long for a zip", during="restore"
                )
            )
            return False
        if name.rstrip("/").encode() != b"/".join(path):
            self._emit(Notice(f"{shown(path)} is called {name} in the zip"))
        return True


class _Outlet:
    """The stream as ``zipfile`` sees it: write-only, never seekable, and closed to it once cut.

    ``zipfile`` completes a zip even when it is merely garbage collected; behind
    the cut, that goes nowhere.
    """

    def __init__(self, stream: Sink) -> None:
        self._stream = stream
        self._is_cut = False

    def cut(self) -> None:
        self._is_cut = True

    def write(self, data: bytes) -> int:
        if not self._is_cut:
            try:
                _write_all(self._stream, data)
            except OSError as exc:
                self.cut()
                raise TargetError(
                    f"Cannot write the zip: {exc.strerror or exc}",
                    hint="Is there space left, and is somebody still reading?",
                ) from exc
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


def _write_all(stream: Sink, data: bytes) -> None:
    while data:
        written = stream.write(data)
        if written is None or written == len(data):
            return
        data = data[written:]


def _member(name: str, node: Node, kind: int) -> ZipInfo:
    modified_seconds = node.mtime_ns // 1_000_000_000
    info = ZipInfo(name, dos_time(modified_seconds))
    info.create_system = MADE_ON_UNIX
    info.external_attr = (kind | node.permissions) << 16
    info.extra = unix_time(modified_seconds)
    info.compress_type = ZIP_DEFLATED
    return info


def _is_compressible(first: Chunk) -> bool:
    """Judged by its first bytes; a gzip or a JPEG shows there already."""
    sample = first[:_SAMPLE_SIZE]
    return len(zlib.compress(sample, _FAST)) < _WORTHWHILE * len(sample)


def _set_level(info: ZipInfo, level: int) -> None:
    """Python 3.13 gave the member's level a public name."""
    setattr(info, "compress_level" if sys.version_info >= (3, 13) else "_compresslevel", level)
