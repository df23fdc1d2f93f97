"""News and outcomes come over into the window's thread, in order and none twice."""

from __future__ import annotations

import threading

import pytest
from pytestqt.qtbot import QtBot

from backup_agent.errors import JobCancelledError, WrongPasswordError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, Notice, Progress
from backup_agent.qtkit.bridge import Job


def test_many_news_are_thinned_but_notices_and_the_last_progress_are_not(qtbot: QtBot) -> None:
    def work(emit: Emit, _cancel: CancelToken) -> object:
        for number in range(5000):
            emit(Progress("copy", bytes_done=number, bytes_total=5000))
            if number in (1000, 3000):
                emit(Notice(f"at {number}"))
        return "done"

    job, heard, threads = Job(work), list[Event](), set[int]()
    job.news.connect(heard.append)
    job.news.connect(lambda _event: threads.add(threading.get_ident()))
    with qtbot.waitSignal(job.finished) as outcome:
        job.start()
    assert outcome.args == ["done"]
    assert [e.message for e in heard if isinstance(e, Notice)] == ["at 1000", "at 3000"]
    progress = [e.bytes_done for e in heard if isinstance(e, Progress)]
    assert progress == sorted(progress)
    assert progress[-1] == 4999
    assert len(progress) < 1000
    assert threads == {threading.get_ident()}


def test_an_error_arrives_whole_and_nothing_after_it(qtbot: QtBot) -> None:
    def work(_emit: Emit, _cancel: CancelToken) -> object:
        raise WrongPasswordError("No key opens it.", hint="Try another password.")

    job = Job(work)
    with qtbot.waitSignal(job.failed) as outcome:
        job.start()
    assert isinstance(outcome.args[0], WrongPasswordError)
    assert outcome.args[0].hint == "Try another password."


@pytest.mark.parametrize("before", [True, False], ids=["before-it-starts", "while-it-waits"])
def test_a_wish_to_stop_reaches_the_work(qtbot: QtBot, before: bool) -> None:
    began = threading.Event()

    def work(_emit: Emit, cancel: CancelToken) -> object:
        began.set()
        cancel.wait(600)
        return "never"

    job = Job(work)
    if before:
        job.cancel.cancel()
    with qtbot.waitSignal(job.failed) as outcome:
        job.start()
        began.wait()
        job.cancel.cancel()
    assert isinstance(outcome.args[0], JobCancelledError)
