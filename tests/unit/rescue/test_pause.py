"""Work that is held between two blocks, and what becomes of it."""

from __future__ import annotations

import threading

from backup_agent.model.events import Event, Notice, Progress
from rescue_media.errands.pause import PauseGate
from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow import pages as p
from rescue_media.flow.pages import Flow
from rescue_media.flow.values import Problem, Purpose
from tests.unit.rescue.test_flow import walk

RUNNING = Flow(p.Running("Restoring", Purpose.RESTORE), busy="Restoring")


def test_a_closed_gate_holds_work_at_its_progress_until_it_is_opened() -> None:
    gate, told = PauseGate(), list[Event]()
    reached = threading.Event()

    def hear(event: Event) -> None:
        told.append(event)
        if isinstance(event, Progress):
            reached.set()

    emit = gate.holding(hear)
    gate.close()

    def work() -> None:
        emit(Notice("What is no progress holds nobody."))
        emit(Progress("restore", bytes_done=1))
        emit(Notice("The next block."))

    worker = threading.Thread(target=work)
    worker.start()
    assert reached.wait(60)
    assert told[1:] == [Progress("restore", bytes_done=1)]
    assert worker.is_alive()
    gate.open()
    worker.join(60)
    assert told[2:] == [Notice("The next block.")]


def test_paused_work_goes_on_when_it_is_resumed_and_stays_on_its_page() -> None:
    paused, wish = walk(m.Pause(), flow=RUNNING)
    assert (paused.paused, paused.page, wish) == (True, RUNNING.page, None)
    resumed, _ = walk(m.Resume(), flow=paused)
    assert resumed == RUNNING


def test_work_that_is_stopped_or_fails_is_not_paused_any_more() -> None:
    paused, _ = walk(m.Pause(), flow=RUNNING)
    stopping, _ = walk(m.GoBack(), flow=paused)
    assert not stopping.paused
    late, _ = walk(m.Pause(), flow=stopping)
    assert not late.paused, "a gate closed now would hold for ever what is to end"
    failed, _ = walk(a.Failed(Problem("The disk is gone.")), flow=paused)
    assert not failed.paused
