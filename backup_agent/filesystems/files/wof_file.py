"""A file that Windows (CompactOS, WIM boot) keeps compressed in its stream ``WofCompressedData``.

The file itself is a hole of the right size. The stream begins with where each
chunk but the first starts, counted from the table's end: u32, or u64 for files
of 4 GiB and more. A chunk that is as long as what it holds is not compressed.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files import lzx, xpress

STREAM = "WofCompressedData"
_MOST_KEPT = 64


class WofAlgorithm(Enum):
    """How chunks are compressed; the values are Windows' own (``wofapi.h``)."""

    XPRESS_4K = 0
    LZX = 1
    XPRESS_8K = 2
    XPRESS_16K = 3

    @property
    def chunk_size(self) -> int:
        return _CHUNK_SIZES[self]


_CHUNK_SIZES = {
    WofAlgorithm.XPRESS_4K: 4096,
    WofAlgorithm.LZX: lzx.CHUNK_SIZE,
    WofAlgorithm.XPRESS_8K: 8192,
    WofAlgorithm.XPRESS_16K: 16384,
}


class WofFile:
    """Read at any place. ``read_stream(offset, size)`` gives the compressed stream's bytes."""

    def __init__(
        self,
        algorithm: WofAlgorithm,
        size: int,
        stream_size: int,
        read_stream: Callable[[int, int], bytes],
    ) -> None:
        self._decompress = lzx.decompress if algorithm is WofAlgorithm.LZX else xpress.decompress
        self._chunk_size = algorithm.chunk_size
        self._size = size
        self._read_stream = read_stream
        self._chunks = -(-size // self._chunk_size)
        self._entry = ("<Q", 8) if size >= 1 << 32 else ("<I", 4)
        self._data_start = max(self._chunks - 1, 0) * self._entry[1]
        self._data_size = stream_size - self._data_start
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, offset: int, size: int) -> bytes:
        """Raises ``UnreadableError`` for a damaged chunk."""
        end = min(offset + size, self._size)
        pieces: list[bytes] = []
        while offset < end:
            number, within = divmod(offset, self._chunk_size)
            piece = self._chunk(number)[within : within + end - offset]
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def _chunk(self, number: int) -> bytes:
        chunk = self._kept.get(number)
        if chunk is None:
            chunk = self._kept[number] = self._decoded(number)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return chunk

    def _decoded(self, number: int) -> bytes:
        start, end = self._start(number), self._start(number + 1)
        size = min(self._chunk_size, self._size - number * self._chunk_size)
        if not 0 <= start < end <= self._data_size or end - start > size:
            raise UnreadableError("It is damaged: its compressed chunks lie nowhere.")
        data = self._read_stream(self._data_start + start, end - start)
        if len(data) != end - start:
            raise UnreadableError("It is damaged: its compressed stream is cut short.")
        if len(data) == size:
            return data
        try:
            return self._decompress(data, size)
        except ValueError as exc:
            raise UnreadableError(f"It is damaged: {exc}.") from exc

    def _start(self, number: int) -> int:
        if number == 0:
            return 0
        if number == self._chunks:
            return self._data_size
        form, width = self._entry
        entry = self._read_stream((number - 1) * width, width)
        if len(entry) != width:
            raise UnreadableError("It is damaged: its compressed stream is cut short.")
        start: int
        (start,) = struct.unpack(form, entry)
        return start
