"""NTFS's file records, a stretch of them read and mended at a time.

Files of one folder have records side by side, by the hundred thousand. What NTFS does to
each so that a torn write shows (``filesystems.ntfs.with_fixups``) is undone for all of a
stretch in a few slices with a step of one record; where that fails, because one is damaged
or was never used, each is looked at by itself.
"""

from __future__ import annotations

import struct
from typing import Protocol

from backup_agent.filesystems.ntfs import with_fixups

_STRETCH = 256 << 10
_MAGIC = b"FILE"
_FIXUPS = struct.Struct("<HH")
_STRIDE = 512


class Table(Protocol):
    """The content of ``$MFT``, as the library gives it."""

    def read_buffer_at_offset(self, size: int, offset: int, /) -> bytes: ...


class FileRecords:
    """A volume's file records by their number."""

    def __init__(self, table: Table, record_size: int) -> None:
        self._table = table
        self._record_size = record_size
        self._start = -1
        self._stored = b""
        self._mended: bytes | None = None

    def stored(self, number: int) -> bytes:
        """As it lies on the volume; empty behind the table's end. Raises ``OSError``."""
        place = self._placed(number)
        return self._stored[place : place + self._record_size]

    def whole(self, number: int) -> bytes | None:
        """With its fixups undone; ``None`` if it is damaged. Raises ``OSError``."""
        place = self._placed(number)
        if self._mended is not None:
            return self._mended[place : place + self._record_size]
        return with_fixups(self._stored[place : place + self._record_size])

    def _placed(self, number: int) -> int:
        """Where the record begins in the stretch, which is read if need be."""
        place = number * self._record_size
        within = place % _STRETCH
        if place - within != self._start:
            self._stored = self._table.read_buffer_at_offset(_STRETCH, place - within)
            self._mended = mended(self._stored, self._record_size)
            self._start = place - within
        return within


def mended(stretch: bytes, record_size: int) -> bytes | None:
    """All records of a stretch with their fixups undone.

    ``None`` unless all of them are there, whole, and have their fixups at the same place.
    """
    count, rest = divmod(len(stretch), record_size)
    if rest or not count:
        return None
    head = stretch[: len(_MAGIC) + _FIXUPS.size]
    if not head.startswith(_MAGIC):
        return None
    if any(stretch[n::record_size] != head[n : n + 1] * count for n in range(len(head))):
        return None
    place, fixups = _FIXUPS.unpack_from(head, len(_MAGIC))
    strides = record_size // _STRIDE
    if fixups != strides + 1 or place + 2 * fixups > record_size:
        return None
    result = bytearray(stretch)
    for stride in range(1, fixups):
        for byte in (0, 1):
            end = slice(stride * _STRIDE - 2 + byte, None, record_size)
            if stretch[end] != stretch[place + byte :: record_size]:
                return None
            result[end] = stretch[place + 2 * stride + byte :: record_size]
    return bytes(result)
