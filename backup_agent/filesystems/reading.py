"""The little that the parsers need of a file."""

from __future__ import annotations

import errno
from typing import Protocol


class SeekableReader(Protocol):
    """An unbuffered file, a ``BytesIO``, or anything else with a position."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes | None: ...


def read_at(reader: SeekableReader, start: int, size: int) -> bytes:
    """The bytes at ``start``: fewer than ``size`` where the file ends before.

    ``OSError`` of the reader comes through.
    """
    try:
        reader.seek(start)
    except OverflowError:
        return b""
    except OSError as exc:
        # A block device refuses places behind its end, where a file gives no bytes.
        if exc.errno != errno.EINVAL:
            raise
        return b""
    pieces: list[bytes] = []
    while size > 0 and (piece := reader.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
