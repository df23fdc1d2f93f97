"""Work beside the window, one piece after the other: for what cannot be used by two at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event
from backup_agent.qtkit.bridge import Job


@dataclass(frozen=True, slots=True)
class Wish:
    """``done`` gets what ``work`` returned, ``failed`` what it raised, ``news`` its events.

    A newer wish of the same ``kind`` replaces one that waits, and stops one that goes on: who
    has chosen another folder wants no list of the one before. Empty: every one is carried out.
    """

    work: Callable[[Emit, CancelToken], Any]
    done: Callable[[Any], object]
    failed: Callable[[BaseException], object]
    news: Callable[[Event], object] | None = None
    kind: str = ""


class JobQueue(QObject):
    """Callbacks come in the window's thread; none comes for what was replaced."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: deque[Wish] = deque()
        self._wish: Wish | None = None
        self._job: Job | None = None
        self._is_wanted = True

    @property
    def is_idle(self) -> bool:
        return self._job is None

    def submit(self, wish: Wish) -> None:
        if wish.kind:
            self._waiting = deque(one for one in self._waiting if one.kind != wish.kind)
            if self._wish is not None and self._wish.kind == wish.kind:
                self.stop_current(wanted=False)
        self._waiting.append(wish)
        self._begin_next()

    def stop_current(self, *, wanted: bool = True) -> None:
        """Ask what goes on to end; ``wanted``: its callback still comes."""
        if self._job is not None:
            self._is_wanted = self._is_wanted and wanted
            self._job.cancel.cancel()

    def close(self) -> None:
        """Stop everything and wait for its end; no callback comes any more."""
        self._waiting.clear()
        if self._job is not None:
            self.stop_current(wanted=False)
            self._job.wait()

    def _begin_next(self) -> None:
        if self._job is not None or not self._waiting:
            return
        wish = self._waiting.popleft()
        self._wish, self._is_wanted = wish, True
        self._job = Job(wish.work, self)
        if wish.news is not None:
            self._job.news.connect(partial(self._tell, wish))
        self._job.finished.connect(partial(self._end, wish.done))
        self._job.failed.connect(partial(self._end, wish.failed))
        self._job.start()

    def _tell(self, wish: Wish, event: Event) -> None:
        if self._is_wanted and wish.news is not None:
            wish.news(event)

    def _end(self, tell: Callable[[Any], object], outcome: object) -> None:
        assert self._job is not None
        self._job.deleteLater()
        self._job = self._wish = None
        is_wanted = self._is_wanted
        if is_wanted:
            tell(outcome)
        self._begin_next()
