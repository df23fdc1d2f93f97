"""Stored content as a file: seekable, read-only, and only the blobs that are needed.

A file system inside a stored volume is read here and there, a few KiB at a time,
out of blobs of a MiB. So decoded blobs are kept for a while, and whoever reads
on where they stopped is fetched more at once, for round trips are what is slow.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING

from backup_agent.errors import IntegrityError
from backup_agent.model.ids import BlobId
from backup_agent.model.node import Node
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a file and how to learn of which blobs it is made, once it is touched.

    A volume of 1 TB has a million blobs, in a thousand folders: who looks at one
    file in it must not load them all.
    """

    size: int
    blobs: Callable[[], Sequence[BlobId]]


def section_of(node: Node) -> Section:
    """All of a file's content."""
    return Section(node.size, lambda: node.content or ())


class StoredFile(io.RawIOBase):
    """The sections, one behind the other. Its methods may be called from several threads.

    Reading raises ``IntegrityError`` for content that is damaged, missing, or
    does not add up to its section's size, and ``StorageError``.
    """

    def __init__(
        self, reader: BlobReader, sections: Sequence[Section], *, kept: KeptBlobs | None = None
    ) -> None:
        """``kept``: shared by files that are to stay within one bound of memory together."""
        super().__init__()
        self._reader = reader
        self._sections = tuple(sections)
        self._starts = tuple(accumulate((s.size for s in self._sections), initial=0))
        self._tables: dict[int, _BlobTable] = {}
        self._kept = kept if kept is not None else KeptBlobs()
        self._expected: tuple[int, int] | None = None
        self._ahead = 1
        self._position = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        return self._starts[-1]

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes at ``offset``: fewer than ``size`` only at the end. The position stays."""
        end = min(offset + size, self.size)
        pieces: list[memoryview] = []
        with self._lock:
            while offset < end:
                piece = self._piece(offset, end - offset)
                pieces.append(piece)
                offset += len(piece)
        return b"".join(pieces)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"a place before the file's start: {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read_at(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _piece(self, offset: int, most: int) -> memoryview:
        """What one blob has of the bytes at ``offset``; never empty within the file."""
        number = bisect_right(self._starts, offset) - 1
        table = self._table(number)
        within = offset - self._starts[number]
        entry = bisect_right(table.starts, within) - 1
        data = self._load(number, table, entry)
        place = within - table.starts[entry]
        return memoryview(data)[place : place + most]

    def _table(self, number: int) -> _BlobTable:
        table = self._tables.get(number)
        if table is None:
            section = self._sections[number]
            table = _BlobTable.of(section.blobs(), self._reader)
            if table.starts[-1] != section.size:
                raise IntegrityError(
                    f"Its content has {table.starts[-1]} bytes, its size says {section.size}.",
                    hint="everboot check tells what is affected.",
                )
            self._tables[number] = table
        return table

    def _load(self, number: int, table: _BlobTable, entry: int) -> bytes:
        blob = table.blobs[entry]
        if (kept := self._kept.get(blob)) is not None:
            return kept
        reads_on = self._expected == (number, entry)
        self._ahead = min(2 * self._ahead, _MOST_AHEAD) if reads_on else 1
        window = table.blobs[entry : entry + self._ahead]
        self._expected = (number, entry + len(window))
        wanted: bytes | IntegrityError | None = None
        # The wanted one in any case: whoever shares what is kept may have put it there just now.
        fetched = [one for one in dict.fromkeys(window) if one == blob or one not in self._kept]
        for one, piece in zip(fetched, self._reader.stream(fetched), strict=True):
            if one == blob:
                wanted = piece
            if isinstance(piece, bytes):
                self._kept.keep(one, piece)
        assert wanted is not None
        if isinstance(wanted, IntegrityError):
            raise wanted
        return wanted


@dataclass(frozen=True, slots=True)
class _BlobTable:
    """A section's blobs and where each starts in it; one start more, the section's end."""

    blobs: tuple[BlobId, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, blobs: Sequence[BlobId], reader: BlobReader) -> _BlobTable:
        sizes = {blob: reader.length(blob) for blob in set(blobs)}
        return cls(tuple(blobs), tuple(accumulate((sizes[b] for b in blobs), initial=0)))
