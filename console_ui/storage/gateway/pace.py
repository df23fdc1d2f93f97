"""How slowly somebody may send or take bytes before making room for others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")

SLOWEST_BYTES_PER_SECOND = 16 * 1024
"""A tenth of a megabit: a device's five connections together keep to it on a slow line."""
STALLED_SECONDS = 60.0


class Pace:
    """Of one body. What counts is the time spent waiting for the other side, not that in which
    this side is slow. At first a minute may pass, then as long as the bytes that came justify.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waited = 0.0
        self._moved = 0

    async def wait(self, step: Awaitable[_T]) -> _T:
        """Wait for the other side. Raises ``TimeoutError`` for one that is too slow."""
        begun = self._clock()
        result = await asyncio.wait_for(step, min(STALLED_SECONDS, self._left()))
        self._waited += self._clock() - begun
        if self._left() <= 0:
            raise TimeoutError
        return result

    def moved(self, size: int) -> None:
        """So many bytes have passed."""
        self._moved += size

    def _left(self) -> float:
        return longest_seconds(self._moved) - self._waited


def longest_seconds(size: int) -> float:
    """How long a body of so many bytes may take."""
    return STALLED_SECONDS + size / SLOWEST_BYTES_PER_SECOND
