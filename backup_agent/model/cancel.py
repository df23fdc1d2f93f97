"""The one thing that travels down into running work: the wish to stop."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

from backup_agent.errors import JobCancelledError


class CancelToken:
    """Set by a face, asked by workers between two steps, and the only way to let time pass.

    A ``SimpleQueue`` wakes who waits: faces cancel from signal handlers, where an
    ``Event`` may block for ever, set by the very thread that is waiting for it.
    """

    __slots__ = ("_cancelled", "_wake")

    def __init__(self) -> None:
        self._cancelled = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        self._wake.put(None)

    def raise_if_cancelled(self) -> None:
        """Raise :class:`JobCancelledError` once cancelled."""
        if self._cancelled:
            raise JobCancelledError("Stopped as asked; what was saved before stays.")

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass. Raises :class:`JobCancelledError` the moment it is cancelled."""
        self.raise_if_cancelled()
        with suppress(Empty):
            self._wake.get(timeout=max(0.0, seconds))
            # Others may be waiting, too.
            self._wake.put(None)
        self.raise_if_cancelled()
