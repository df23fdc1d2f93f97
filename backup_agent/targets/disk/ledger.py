"""A disk that remembers what was written to it, so that it can be read back and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import IntegrityError
from backup_agent.host.api import WritableDisk
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """``digest`` is empty for zeros."""

    extent: Extent
    digest: bytes


class RememberingDisk:
    """A :class:`WritableDisk` around another, to which every byte is written once."""

    def __init__(self, inner: WritableDisk) -> None:
        self._inner = inner
        self._entries: list[Entry] = []
        self.read = inner.read
        self.discard = inner.discard
        self.flush = inner.flush
        self.close = inner.close

    @property
    def size(self) -> int:
        """Bytes that were written or zeroed."""
        return sum(entry.extent.size for entry in self._entries)

    def write(self, start: int, data: bytes | memoryview) -> None:
        self._inner.write(start, data)
        self._entries.append(Entry(Extent(start, len(data)), hashlib.sha256(data).digest()))

    def zero(self, start: int, size: int) -> None:
        self._inner.zero(start, size)
        self._entries.append(Entry(Extent(start, size), b""))

    def compare(self, name: str, cancel: CancelToken) -> Iterator[int]:
        """Read everything back; yields the bytes compared, step by step.

        Raises :class:`IntegrityError` at the first difference.
        """
        for entry in self._entries:
            cancel.raise_if_cancelled()
            if not (self._is_zero(entry) if not entry.digest else self._is_same(entry)):
                raise IntegrityError(
                    f"{name} reads back differently at byte {entry.extent.start}.",
                    hint="Restore to another disk: this one does not keep what is written.",
                )
            yield entry.extent.size

    def _is_same(self, entry: Entry) -> bool:
        data = self._inner.read(entry.extent.start, entry.extent.size)
        return hashlib.sha256(data).digest() == entry.digest

    def _is_zero(self, entry: Entry) -> bool:
        for start in range(entry.extent.start, entry.extent.end, _STEP):
            data = self._inner.read(start, min(_STEP, entry.extent.end - start))
            if data.count(0) != min(_STEP, entry.extent.end - start):
                return False
        return True
