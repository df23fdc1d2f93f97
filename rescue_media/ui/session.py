"""Where flow and errands meet: moves go in, pages and news come out."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QObject, Signal

from backup_agent.errors import EverbootError, JobCancelledError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.qtkit.bridge import Job
from rescue_media.clock.blame import clock_to_blame
from rescue_media.errands.errands import Errands
from rescue_media.errands.hints import hint_in_the_window
from rescue_media.flow.answers import Failed, Left
from rescue_media.flow.machine import advance
from rescue_media.flow.moves import GoBack, GoHome, Move
from rescue_media.flow.pages import Flow, Running
from rescue_media.flow.values import Problem
from rescue_media.flow.wishes import EndSession, LookAround, UseKeyboard, Wish


class Session(QObject):
    """One wish at a time. Who goes back while something is waited for does not wait any more: the
    answer, should it still come, is dropped, and the next wish begins when the work has ended.
    """

    changed = Signal(object)
    """The new ``Flow``."""
    news = Signal(object)
    """An ``Event`` of the work that goes on."""
    ended = Signal()
    """Nothing is left to be done: the window may close."""

    def __init__(self, errands: Errands, flow: Flow) -> None:
        super().__init__()
        self.flow = flow
        self._errands = errands
        self._job: Job | None = None
        self._is_wanted = True
        self._wish: Wish | None = None
        self._next: Wish | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing is being done."""
        return self._job is None

    def send(self, move: Move) -> None:
        """From the window's thread only."""
        if isinstance(move, GoBack | GoHome):
            self._next = None
            if self._job is not None and not isinstance(self._wish, LookAround):
                self._stop(keeps_answer=isinstance(self.flow.page, Running))
        was_paused = self.flow.paused
        step = advance(self.flow, move)
        self.flow = step.flow
        if step.flow.paused != was_paused:
            (self._errands.pause if step.flow.paused else self._errands.resume)()
        self.changed.emit(self.flow)
        if step.wish is not None:
            self._begin(step.wish)

    def close(self) -> None:
        """Stop what goes on and wait for its end: nothing is left half open."""
        self._next = None
        if self._job is not None:
            self._stop(keeps_answer=False)
            self._job.wait()
        self._errands.close()

    def _begin(self, wish: Wish) -> None:
        if self._job is not None:
            self._next = wish
            return
        self._is_wanted = True
        self._wish = wish
        job = Job(partial(_perform, self._errands, wish), self)
        self._job = job
        job.news.connect(self.news)
        job.finished.connect(partial(self._answered, wish))
        job.failed.connect(self._failed)
        job.start()

    def _stop(self, *, keeps_answer: bool) -> None:
        assert self._job is not None
        self._is_wanted = keeps_answer
        self._job.cancel.cancel()
        self._errands.stop()

    def _answered(self, wish: Wish, answer: Move) -> None:
        is_wanted = self._free()
        if isinstance(wish, EndSession | UseKeyboard):
            self.ended.emit()
        elif is_wanted:
            self.send(answer)
        self._go_on()

    def _failed(self, error: BaseException) -> None:
        if self._free():
            self.send(Failed(_problem(error)) if not _is_calm(error, self.flow) else Left())
        self._go_on()

    def _free(self) -> bool:
        assert self._job is not None
        self._job.deleteLater()
        self._job = None
        return self._is_wanted

    def _go_on(self) -> None:
        if self._job is None and self._next is not None:
            wish, self._next = self._next, None
            self._begin(wish)


def _perform(errands: Errands, wish: Wish, emit: Emit, cancel: CancelToken) -> object:
    return errands.perform(wish, emit, cancel)


def _is_calm(error: BaseException, flow: Flow) -> bool:
    """A wait that was given up is no news; work that was stopped is."""
    return isinstance(error, JobCancelledError) and not isinstance(flow.page, Running)


def _problem(error: BaseException) -> Problem:
    if isinstance(error, EverbootError):
        # Certificates and signatures fail in words that lead nobody to the clock.
        return Problem(
            error.message,
            clock_to_blame(error, datetime.now(UTC)) or hint_in_the_window(error.hint),
        )
    return Problem(
        f"Something went wrong that should not: {type(error).__name__}: {error}",
        "Try again. If it stays so, tell the people who make Everboot what you did.",
    )
