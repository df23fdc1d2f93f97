"""How fast work goes and when it will end, out of what it tells of its progress."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_WINDOW_SECONDS = 20.0
"""Long enough that a pause of a disk does not shake the numbers, short enough to follow a line."""
_SOONEST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class PaceView:
    """``bytes_per_second`` and ``seconds_left`` are ``None`` while nobody can know them."""

    done: int
    total: int
    bytes_per_second: float | None
    seconds_left: float | None
    seconds_so_far: float

    @property
    def percent(self) -> int:
        """100 only when everything is done."""
        if not self.total:
            return 0
        return min(100 if self.done >= self.total else 99, self.done * 100 // self.total)


class Pace:
    """Fed with bytes done at monotonic times; what lies long back counts no more."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, done: int, total: int, now: float) -> PaceView:
        """The view at ``now``. A new phase, which begins at fewer bytes, starts afresh."""
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while now - self._samples[0][0] > _WINDOW_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        first_time, first_done = self._samples[0]
        passed = now - first_time
        rate = (done - first_done) / passed if passed >= _SOONEST_SECONDS else None
        left = (total - done) / rate if rate and total else None
        return PaceView(done, total, rate, left, now - self._started)
