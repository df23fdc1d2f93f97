"""Bringing news to the console: in order, each until it is taken, however long that is away."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from backup_agent import __version__
from backup_agent.agent.ledger import Ledger
from backup_agent.errors import JobCancelledError, LinkError, LinkRefusedError, StorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice, Progress
from backup_agent.services.link.reports import (
    MOST_EVENTS,
    ReportChannel,
    ToldPlan,
    ToldProgress,
    fitting,
)

PROGRESS_SECONDS = 1.0
_PHASE_LENGTH = 40
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 120.0


def pause_after(failures: int, *, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait: twice as long after each failure, and never all devices at once."""
    longest = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE_SECONDS)
    return longest * (0.5 + chance() / 2)


def spread(seconds: float, *, chance: Callable[[], float] = random.random) -> float:
    """A little less than the console asks for: devices that were switched on, or that found it
    again, in the same moment soon come one after the other.
    """
    return seconds * (0.8 + chance() / 5)


class Courier:
    """``run`` is the body of a thread; everything else may be called from any."""

    def __init__(
        self,
        channel: ReportChannel,
        ledger: Ledger,
        plans: Callable[[], list[ToldPlan]],
        *,
        emit: Emit,
        cancel: CancelToken,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._ledger = ledger
        self._plans = plans
        self._emit = emit
        self._cancel = cancel
        self._clock = clock
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._progress: ToldProgress | None = None
        self._heartbeat_due = 0.0
        self._failures = 0

    def there_is_news(self) -> None:
        """Look into the ledger now, and show that this device lives."""
        self._heartbeat_due = 0.0
        self._wake.put(None)

    def show_progress(self, run: str, progress: Progress | None) -> None:
        """Tell of it soon; only the latest counts. None: the run is over."""
        self._progress = None if progress is None else _told(run, progress)

    def run(self) -> None:
        """Until it is cancelled, or the console knows this device no longer."""
        try:
            with self._cancel.waking(self._wake):
                while True:
                    self._rest(self._attempt())
        except JobCancelledError:
            return
        except LinkRefusedError as exc:
            self._emit(Notice(f"{exc.message} {exc.hint}"))

    def deliver(self) -> None:
        """Bring what there is. Raises as ``ReportChannel``."""
        self._bring_news()
        if self._clock() >= self._heartbeat_due:
            seconds = self._channel.heartbeat(__version__, self._plans())
            self._heartbeat_due = self._clock() + spread(seconds)
        if (progress := self._progress) is not None:
            self._channel.progress(progress)

    def _attempt(self) -> float:
        """Seconds until the next one."""
        try:
            self.deliver()
        except LinkRefusedError:
            raise
        except (StorageError, LinkError) as exc:
            self._failures += 1
            if self._failures == 1:
                self._emit(Notice(f"{exc.message} What happens meanwhile is told later."))
            return pause_after(self._failures)
        if self._failures:
            self._emit(Notice("The console answers again."))
            self._failures = 0
        return PROGRESS_SECONDS

    def _bring_news(self) -> None:
        while news := self._ledger.news(limit=MOST_EVENTS):
            try:
                self._channel.events([each.event for each in news])
            except LinkRefusedError:
                raise
            except LinkError as exc:
                # One that the console will never take may not keep the others for ever.
                if len(news) > 1:
                    self._bring_one_by_one()
                    continue
                self._ledger.refused(news[0], exc.message)
                self._emit(Notice(exc.message))
            else:
                self._ledger.told(news)

    def _bring_one_by_one(self) -> None:
        for each in self._ledger.news(limit=MOST_EVENTS):
            try:
                self._channel.events([each.event])
            except LinkRefusedError:
                raise
            except LinkError as exc:
                self._ledger.refused(each, exc.message)
                self._emit(Notice(exc.message))
            else:
                self._ledger.told([each])

    def _rest(self, seconds: float) -> None:
        """News wake it, unless the console is away."""
        if self._failures:
            self._cancel.wait(seconds)
            return
        idle = self._progress is None
        wait = max(seconds, self._heartbeat_due - self._clock()) if idle else seconds
        with suppress(Empty):
            self._wake.get(timeout=wait)
        self._cancel.raise_if_cancelled()


def _told(run: str, progress: Progress) -> ToldProgress:
    return ToldProgress(
        run=run,
        phase=fitting(progress.phase, _PHASE_LENGTH),
        files_done=progress.files_done,
        files_total=progress.files_total,
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
    )
