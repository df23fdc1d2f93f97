"""A volume that is larger than its place, whole for the tool that shrinks it.

ntfsresize and resize2fs want all of a volume before them, while the target has
room only for what the volume will be. So they are shown a volume in three
pieces, and move what lies behind the new end to before it themselves::

    0         1 MiB                 the new end                  the old end
    | start   | target              | tail                       |
    | memory  | the partition       | restore point, read-only,  |
    |         |                     | under pages in memory      |

The start stays off the target until all is done, as in every restore: no file
system is recognised there before. The tail is read from the restore point as
the tool asks for it; what little the tool writes there (marking it free) is
kept in memory and forgotten with it. No scratch space is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from backup_agent.errors import TargetTooSmallError

PAGE_SIZE = 4096
MOST_OVERLAY = 128 << 20
"""Bytes that may be written behind the new end. A tool writes there only where it moves the
volume's own lists of files, and those fit."""


class Bytes(Protocol):
    """Something to read and write at offsets; ``size`` bytes of it exist at least."""

    def read(self, offset: int, size: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...


class HeldBytes:
    """Bytes in memory."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        self.data[offset : offset + len(data)] = data


class Overlay:
    """Read-only bytes, and above them in memory the pages that were written."""

    def __init__(
        self, read_below: Callable[[int, int], bytes], *, most_bytes: int = MOST_OVERLAY
    ) -> None:
        self._read_below = read_below
        self._most_pages = most_bytes // PAGE_SIZE
        self._pages: dict[int, bytearray] = {}

    def read(self, offset: int, size: int) -> bytes:
        numbers = range(offset // PAGE_SIZE, (offset + size - 1) // PAGE_SIZE + 1)
        written = [number for number in numbers if number in self._pages]
        if len(written) == len(numbers):
            return self._cut(numbers, offset, size)
        data = bytearray(self._read_below(offset, size))
        for number in written:
            place = number * PAGE_SIZE
            start, end = max(place, offset), min(place + PAGE_SIZE, offset + size)
            data[start - offset : end - offset] = self._pages[number][start - place : end - place]
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        """Raises :class:`TargetTooSmallError` where there is more than memory is meant for."""
        view = memoryview(data)
        while view:
            number, inside = divmod(offset, PAGE_SIZE)
            piece = view[: PAGE_SIZE - inside]
            self._page(number, whole=len(piece) == PAGE_SIZE)[inside : inside + len(piece)] = piece
            offset += len(piece)
            view = view[len(piece) :]

    def _page(self, number: int, *, whole: bool) -> bytearray:
        if number not in self._pages:
            if len(self._pages) >= self._most_pages:
                raise TargetTooSmallError(
                    "To shrink the volume, more would have to be held in memory than"
                    f" {self._most_pages * PAGE_SIZE >> 20} MiB.",
                    hint="Use a larger target, or one with room for a scratch file.",
                )
            below = b"" if whole else self._read_below(number * PAGE_SIZE, PAGE_SIZE)
            self._pages[number] = bytearray(below.ljust(PAGE_SIZE, b"\0"))
        return self._pages[number]

    def _cut(self, numbers: range, offset: int, size: int) -> bytes:
        data = b"".join(self._pages[number] for number in numbers)
        start = offset % PAGE_SIZE
        return data[start : start + size]


class JoinedVolume:
    """Pieces one after the other, each with its size, as one volume."""

    def __init__(self, *pieces: tuple[int, Bytes], sector_size: int) -> None:
        self._pieces = pieces
        self._sector_size = sector_size

    @property
    def size(self) -> int:
        return sum(size for size, _ in self._pieces)

    @property
    def sector_size(self) -> int:
        return self._sector_size

    def read(self, offset: int, size: int) -> bytes:
        found = [piece.read(start, length) for piece, start, length in self._parts(offset, size)]
        return found[0] if len(found) == 1 else b"".join(found)

    def write(self, offset: int, data: bytes) -> None:
        done = 0
        for piece, start, length in self._parts(offset, len(data)):
            piece.write(start, data[done : done + length])
            done += length

    def _parts(self, offset: int, size: int) -> list[tuple[Bytes, int, int]]:
        """The pieces that a stretch touches, and which bytes of each."""
        parts: list[tuple[Bytes, int, int]] = []
        place = 0
        for length, piece in self._pieces:
            start, end = max(offset, place), min(offset + size, place + length)
            if start < end:
                parts.append((piece, start - place, end - start))
            place += length
        return parts
