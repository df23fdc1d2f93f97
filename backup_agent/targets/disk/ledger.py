"""A disk that remembers what was written to it, so that it can be read back and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backup_agent.errors import IntegrityError
from backup_agent.host.api import WritableDisk
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Extent

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What a stretch holds: ``digest`` is empty for zeros, ``None`` for what must be looked up."""

    extent: Extent
    digest: bytes | None


class RememberingDisk:
    """A :class:`WritableDisk` around another.

    What is written a second time, as by a tool that resizes a volume, is
    looked up once, before it goes to the medium.
    """

    def __init__(self, inner: WritableDisk) -> None:
        self._inner = inner
        self._entries: list[Entry] = []
        self._by_step: dict[int, list[int]] = {}
        self.read = inner.read
        self.discard = inner.discard
        self.close = inner.close

    @property
    def size(self) -> int:
        """Bytes that were written or zeroed."""
        return sum(entry.extent.size for entry in self._entries)

    def write(self, start: int, data: bytes | memoryview) -> None:
        self._inner.write(start, data)
        self._remember(Extent(start, len(data)), hashlib.sha256(data).digest())

    def zero(self, start: int, size: int) -> None:
        self._inner.zero(start, size)
        self._remember(Extent(start, size), b"")

    def flush(self) -> None:
        for number, entry in enumerate(self._entries):
            if entry.digest is None:
                self._entries[number] = replace(entry, digest=self._digest(entry.extent))
        self._inner.flush()

    def compare(self, name: str, cancel: CancelToken) -> Iterator[int]:
        """Read everything back; yields the bytes compared, step by step.

        Raises :class:`IntegrityError` at the first difference.
        """
        for entry in self._entries:
            cancel.raise_if_cancelled()
            if not (self._is_zero(entry) if entry.digest == b"" else self._is_same(entry)):
                raise IntegrityError(
                    f"{name} reads back differently at byte {entry.extent.start}.",
                    hint="Restore to another disk: this one does not keep what is written.",
                )
            yield entry.extent.size

    def _remember(self, extent: Extent, digest: bytes) -> None:
        overlapping = {
            number
            for step in _steps(extent)
            for number in self._by_step.get(step, ())
            if _overlap(self._entries[number].extent, extent)
        }
        for number in overlapping:
            self._entries[number] = replace(self._entries[number], digest=None)
        if any(_covers(self._entries[number].extent, extent) for number in overlapping):
            return
        for step in _steps(extent):
            self._by_step.setdefault(step, []).append(len(self._entries))
        self._entries.append(Entry(extent, None if overlapping else digest))

    def _digest(self, extent: Extent) -> bytes:
        digest = hashlib.sha256()
        for start in range(extent.start, extent.end, _STEP):
            digest.update(self._inner.read(start, min(_STEP, extent.end - start)))
        return digest.digest()

    def _is_same(self, entry: Entry) -> bool:
        return self._digest(entry.extent) == entry.digest

    def _is_zero(self, entry: Entry) -> bool:
        for start in range(entry.extent.start, entry.extent.end, _STEP):
            data = self._inner.read(start, min(_STEP, entry.extent.end - start))
            if data.count(0) != min(_STEP, entry.extent.end - start):
                return False
        return True


def _steps(extent: Extent) -> range:
    return range(extent.start // _STEP, (extent.end - 1) // _STEP + 1)


def _overlap(one: Extent, other: Extent) -> bool:
    return one.start < other.end and other.start < one.end


def _covers(one: Extent, other: Extent) -> bool:
    return one.start <= other.start and other.end <= one.end
