"""The one thing that travels down into running work: the wish to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any

from backup_agent.errors import JobCancelledError


class CancelToken:
    """Set by a face, asked by workers between two steps, and the only way to let time pass.

    A ``SimpleQueue`` wakes who waits: faces cancel from signal handlers, where an
    ``Event`` may block for ever, set by the very thread that is waiting for it.
    """

    __slots__ = ("_cancelled", "_wake", "_woken")

    def __init__(self) -> None:
        self._cancelled = False
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._woken: dict[int, SimpleQueue[Any]] = {}

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        self._wake.put(None)
        # A copy made at once: other threads come and go.
        for queue in tuple(self._woken.values()):
            queue.put(None)

    def raise_if_cancelled(self) -> None:
        """Raise :class:`JobCancelledError` once cancelled."""
        if self._cancelled:
            raise JobCancelledError("Stopped as asked; what was saved before stays.")

    @contextmanager
    def waking(self, queue: SimpleQueue[Any]) -> Iterator[None]:
        """Whoever waits for something in the queue finds a ``None`` there once it is cancelled."""
        self._woken[id(queue)] = queue
        try:
            if self._cancelled:
                queue.put(None)
            yield
        finally:
            del self._woken[id(queue)]

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises :class:`JobCancelledError` the moment it is cancelled."""
        self.raise_if_cancelled()
        with suppress(Empty):
            self._wake.get(timeout=max(0.0, seconds))
            # Others may be waiting, too.
            self._wake.put(None)
        self.raise_if_cancelled()
