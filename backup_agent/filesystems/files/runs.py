"""Where a file's bytes lie on its volume, as a list of runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from backup_agent.errors import UnreadableError
from backup_agent.model.disk import Extent


class Run(NamedTuple):
    """``size`` bytes from ``start`` of the volume on; without a start they are zeros."""

    start: int | None
    size: int


class ExactBytes(Protocol):
    """Where runs are read from."""

    def exactly(self, offset: int, size: int) -> bytes: ...


class Runs:
    """Runs, one behind the other, joined where one continues the other."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs: list[Run] = []
        self._starts: list[int] = []
        self.size = 0
        for run in runs:
            self._append(run)

    def read_at(self, volume: ExactBytes, offset: int, size: int) -> bytes:
        """Exactly those bytes. Raises ``UnreadableError`` where the runs end before."""
        end = offset + size
        if end > self.size:
            raise UnreadableError(f"It should go on to byte {end}, but has only {self.size}.")
        pieces: list[bytes] = []
        while offset < end:
            number = bisect_right(self._starts, offset) - 1
            run, within = self._runs[number], offset - self._starts[number]
            length = min(run.size - within, end - offset)
            if run.start is None:
                pieces.append(bytes(length))
            else:
                pieces.append(volume.exactly(run.start + within, length))
            offset += length
        return b"".join(pieces)

    def extents(self) -> list[Extent]:
        """Without the holes."""
        return [Extent(run.start, run.size) for run in self._runs if run.start is not None]

    def place_of(self, offset: int) -> int:
        """Where the byte at that offset lies on the volume; it must not be in a hole."""
        number = bisect_right(self._starts, offset) - 1
        start = self._runs[number].start
        assert start is not None
        return start + offset - self._starts[number]

    def _append(self, run: Run) -> None:
        if not run.size:
            return
        last = self._runs[-1] if self._runs else None
        if last is not None and _continues(last, run):
            self._runs[-1] = Run(last.start, last.size + run.size)
        else:
            self._runs.append(run)
            self._starts.append(self.size)
        self.size += run.size


def _continues(last: Run, run: Run) -> bool:
    if last.start is None or run.start is None:
        return last.start is run.start
    return last.start + last.size == run.start
