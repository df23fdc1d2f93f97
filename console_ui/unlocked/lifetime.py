"""How long a vault stays unlocked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lifetime:
    """Over after ``idle_seconds`` without use, or ``longest_seconds`` from its beginning.

    For several threads. ``clock`` counts seconds.
    """

    def __init__(
        self, *, idle_seconds: float, longest_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._used_at = clock()
        self._ends_at = self._used_at + longest_seconds
        self._lock = threading.Lock()

    @property
    def left_seconds(self) -> float:
        """Until it is over, if nobody uses it meanwhile; 0 once it is."""
        with self._lock:
            now = self._clock()
            # A download that moves marks itself as use; one that stands still is none.
            return max(0.0, min(self._used_at + self._idle_seconds, self._ends_at) - now)

    @property
    def is_over(self) -> bool:
        return self.left_seconds <= 0

    def use(self) -> None:
        """Somebody does something with it."""
        with self._lock:
            self._used_at = self._clock()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Use at the beginning and at the end."""
        self.use()
        try:
            yield
        finally:
            self.use()
