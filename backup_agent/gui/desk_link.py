"""The desk as the window uses it: asked beside the window's thread, heard within it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from backup_agent.agent.desk import Desk, DeskState, Told
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.qtkit.bridge import Job

_T = TypeVar("_T")
_PAUSE_MILLISECONDS = 150
"""Between two looks: nobody reads numbers that change more often."""


class DeskLink(QObject):
    """``state`` is the latest known, ``None`` until the first answer came."""

    changed = Signal(object)
    """A ``DeskState``."""
    failed = Signal(object)
    """What a wish for which nobody else cared raised."""
    _told = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: DeskState | None = None
        self._desk = desk
        self._jobs: set[Job] = set()
        self._is_looking = self._is_stale = self._is_closed = False
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MILLISECONDS)
        self._pause.timeout.connect(self._look_if_stale)
        self._told.connect(self.look, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = desk.subscribe(self._hear)

    def look(self) -> None:
        """Ask how things stand; ``changed`` brings the answer."""
        self._is_stale = True
        if not self._is_looking and not self._pause.isActive():
            self._look_if_stale()

    def ask(
        self,
        question: Callable[[Desk], _T],
        done: Callable[[_T], object],
        failed: Callable[[BaseException], object] | None = None,
    ) -> None:
        """``done`` gets the answer, ``failed`` (or the signal) what was raised."""

        def work(_emit: Emit, _cancel: CancelToken) -> _T:
            return question(self._desk)

        job = Job(work, self)
        self._jobs.add(job)
        job.finished.connect(partial(self._end, job, done))
        job.failed.connect(partial(self._end, job, failed or self.failed.emit))
        job.start()

    def do(
        self,
        wish: Callable[[Desk], object],
        done: Callable[[], object] | None = None,
        failed: Callable[[BaseException], object] | None = None,
    ) -> None:
        """As ``ask``, for what has no answer; afterwards it is looked how things stand now."""

        def then(_answer: object) -> None:
            self.look()
            if done is not None:
                done()

        self.ask(wish, then, failed)

    def close(self) -> None:
        """No answer comes any more. Waits for those who are still asking."""
        self._is_closed = True
        self._pause.stop()
        self._unsubscribe()
        for job in tuple(self._jobs):
            job.wait()

    def _hear(self, _told: Told) -> None:
        self._told.emit()

    def _look_if_stale(self) -> None:
        if self._is_stale and not self._is_closed:
            self._is_stale, self._is_looking = False, True
            self.ask(lambda desk: desk.state(), self._take, self._miss)

    def _take(self, state: DeskState) -> None:
        self._is_looking = False
        self.state = state
        self._pause.start()
        self.changed.emit(state)

    def _miss(self, error: BaseException) -> None:
        self._is_looking = False
        self._pause.start()
        self.failed.emit(error)

    def _end(self, job: Job, tell: Callable[[Any], object], outcome: object) -> None:
        self._jobs.discard(job)
        job.deleteLater()
        if not self._is_closed:
            tell(outcome)
