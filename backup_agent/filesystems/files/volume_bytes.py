"""A volume's bytes as the readers of file systems see them."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable

from backup_agent.errors import EverbootError, UnreadableError
from backup_agent.model.disk import Extent, joined

_BLOCK = 64 << 10
_MOST_BLOCKS = 512


class VolumeBytes:
    """A volume of ``size`` bytes that come from ``fetch(offset, size)``, blocks of it kept.

    Bytes that could not be read when the volume was backed up are stored as
    zeros; whoever asks for one of them gets an ``UnreadableError`` instead.

    Offers what a C library wants of a Python file, too. Such libraries put
    exceptions into words of their own, so the last one is kept in ``failure``.
    """

    def __init__(
        self, size: int, fetch: Callable[[int, int], bytes], *, unreadable: Iterable[Extent] = ()
    ) -> None:
        self.size = size
        self.failure: EverbootError | None = None
        self._fetch = fetch
        self._bad = tuple(joined(unreadable))
        self._bad_starts = [extent.start for extent in self._bad]
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes at ``offset``: fewer than ``size`` only at the volume's end."""
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        try:
            if self._bad:
                self._refuse_bad(offset, end)
            if end - offset > _BLOCK:
                return self._fetched(offset, end - offset)
            first = self._block(offset // _BLOCK)
            piece = first[offset % _BLOCK :][: end - offset]
            if len(piece) < end - offset:
                piece += self._block(offset // _BLOCK + 1)[: end - offset - len(piece)]
        except EverbootError as exc:
            self.failure = exc
            raise
        return piece

    def exactly(self, offset: int, size: int) -> bytes:
        """Bytes that must be there. Raises ``UnreadableError`` where the volume ends before."""
        data = self.read_at(offset, size)
        if len(data) < size:
            raise UnreadableError(
                f"The file system points to byte {offset + size}, but the volume ends at "
                f"{self.size}."
            )
        return data

    def read(self, size: int = -1) -> bytes:
        # Libraries read a record or a few bytes at a time, by the hundred thousand.
        number, within = divmod(self._position, _BLOCK)
        block = self._blocks.get(number)
        if block is not None and 0 <= size <= len(block) - within and not self._bad:
            data = block[within : within + size]
        else:
            data = self.read_at(self._position, self.size if size < 0 else size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = 0
        if whence != io.SEEK_SET:
            base = {io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def get_size(self) -> int:
        return self.size

    def _refuse_bad(self, offset: int, end: int) -> None:
        before = bisect_right(self._bad_starts, offset) - 1
        for extent in self._bad[max(before, 0) :]:
            if extent.start >= end:
                return
            if extent.end > offset:
                raise UnreadableError(
                    f"The disk could not be read at byte {extent.start} of the volume when it "
                    "was backed up.",
                    hint="An older restore point may hold the file whole.",
                )

    def _block(self, number: int) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            start = number * _BLOCK
            block = self._fetched(start, min(_BLOCK, self.size - start))
            self._blocks[number] = block
            if len(self._blocks) > _MOST_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return block

    def _fetched(self, offset: int, size: int) -> bytes:
        data = self._fetch(offset, size)
        if len(data) != size:
            raise UnreadableError(f"The volume gave {len(data)} of {size} bytes at {offset}.")
        return data
