"""A gate on the way of running work, which a person may close for a while."""

from __future__ import annotations

import threading

from backup_agent.model.events import Emit, Event, Progress


class PauseGate:
    """Work tells its progress between two blocks, and that is where it is held.

    What keeps the repository's lock fresh tells no progress, so it goes on meanwhile.
    Whoever cancels the work opens the gate afterwards.
    """

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def holding(self, emit: Emit) -> Emit:
        """``emit``, which returns from progress only while the gate is open."""

        def tell(event: Event) -> None:
            emit(event)
            if isinstance(event, Progress):
                self._open.wait()

        return tell
