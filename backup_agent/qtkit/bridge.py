"""The only crossing between working threads and the window.

A service runs in a thread of its own and tells its news to ``emit``. Progress
may come thousands of times a second: only the newest waits, and is brought
over at most ten times a second. Everything else comes over complete and in
order. Wishes go the other way by the :class:`CancelToken` alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, Progress

_NEWS_MILLISECONDS = 100

_T = TypeVar("_T")
Work = Callable[[Emit, CancelToken], _T]
"""Runs in the working thread; what it raises other than ``EverbootError`` is a bug."""


class _Mailbox(Generic[_T]):
    """News on its way; only the newest progress is kept. Any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news: deque[Event] = deque()
        self._progress: Progress | None = None

    def add(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Progress):
                self._progress = event
                return
            if self._progress is not None:
                # What was told before must not come after.
                self._news.append(self._progress)
                self._progress = None
            self._news.append(event)

    def take(self) -> list[Event]:
        with self._lock:
            taken = list(self._news)
            self._news.clear()
            if self._progress is not None:
                taken.append(self._progress)
                self._progress = None
            return taken


class Job(QObject):
    """One piece of work beside the window. Its signals arrive in the window's thread.

    Exactly one of ``finished`` and ``failed`` comes, and it comes last. The job keeps itself
    alive until then.
    """

    news = Signal(object)
    """An ``Event``."""
    finished = Signal(object)
    """What the work returned."""
    failed = Signal(object)
    """The exception: an ``EverbootError``, or a bug that is to be shown all the same."""
    _ended = Signal()

    def __init__(self, work: Work[object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cancel = CancelToken()
        self._work = work
        self._mailbox: _Mailbox[Event] = _Mailbox()
        self._outcome: object = None
        self._error: BaseException | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_NEWS_MILLISECONDS)
        self._timer.timeout.connect(self._deliver)
        self._ended.connect(self._finish, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="everboot-job", daemon=True)

    def start(self) -> None:
        self._timer.start()
        self._thread.start()

    def wait(self) -> None:
        """Until the thread has ended; its last signals still lie in the event queue."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._outcome = self._work(self._mailbox.add, self.cancel)
        except BaseException as error:
            # A bug, too, must reach the window instead of vanishing with its thread.
            self._error = error
        self._ended.emit()

    @Slot()
    def _deliver(self) -> None:
        for event in self._mailbox.take():
            self.news.emit(event)

    @Slot()
    def _finish(self) -> None:
        self._timer.stop()
        self._thread.join()
        self._deliver()
        if self._error is not None:
            self.failed.emit(self._error)
        else:
            self.finished.emit(self._outcome)
