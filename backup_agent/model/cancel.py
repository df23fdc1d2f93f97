"""The one thing that travels down into running work: the wish to stop."""

from __future__ import annotations

from backup_agent.errors import JobCancelledError


class CancelToken:
    """Set by a face, asked by workers between two steps. A plain flag needs no lock."""

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True

    def raise_if_cancelled(self) -> None:
        """Raise :class:`JobCancelledError` once cancelled."""
        if self._cancelled:
            raise JobCancelledError("Stopped as asked; what was saved before stays.")
