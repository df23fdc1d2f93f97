"""Stopping: whoever lets time pass is woken at once."""

from __future__ import annotations

import signal
import threading

import pytest

from backup_agent.errors import JobCancelledError
from backup_agent.model.cancel import CancelToken

HOUR = 3600.0
AMPLE_SECONDS = 60.0


def test_time_passes_where_nobody_cancels() -> None:
    CancelToken().wait(0)
    CancelToken().wait(-1)


def test_everyone_who_waits_is_woken_at_once() -> None:
    cancel, stopped = CancelToken(), []

    def wait() -> None:
        with pytest.raises(JobCancelledError):
            cancel.wait(HOUR)
        stopped.append(threading.get_ident())

    threads = [threading.Thread(target=wait, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    cancel.cancel()
    for thread in threads:
        thread.join(AMPLE_SECONDS)
    assert len(stopped) == 4


def test_nobody_waits_after_it_was_cancelled() -> None:
    cancel = CancelToken()
    cancel.cancel()
    cancel.cancel()
    for _ in range(3):
        with pytest.raises(JobCancelledError):
            cancel.wait(HOUR)


def test_a_signal_wakes_the_very_thread_that_waits() -> None:
    cancel = CancelToken()
    before = signal.signal(signal.SIGUSR1, lambda _signal, _frame: cancel.cancel())
    main = threading.main_thread().ident
    assert main is not None
    try:
        threading.Timer(0, signal.pthread_kill, [main, signal.SIGUSR1]).start()
        with pytest.raises(JobCancelledError):
            cancel.wait(HOUR)
    finally:
        signal.signal(signal.SIGUSR1, before)
