"""The service's side of the local socket: who may come in, and what the desk answers them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import assert_never

import msgspec

from backup_agent.agent import wire
from backup_agent.agent.desk import Desk, Told
from backup_agent.errors import EverbootError, HostError, HungUpError
from backup_agent.host.local_door import Line, LocalDoors

_MOST_LINES = 64
"""Of all faces together; one that opens more and more is not served any more."""


@contextmanager
def open_front_door(
    desk: Desk, doors: LocalDoors, path: Path, *, to_administrators: bool
) -> Iterator[None]:
    """Until the end of the ``with`` other processes reach the desk there. Raises ``HostError``."""
    door = doors.open(path, to_administrators=to_administrators)
    reception = _Reception(desk)

    def accept() -> None:
        while (line := door.accept()) is not None:
            reception.welcome(line)

    porter = threading.Thread(target=accept, name="front door", daemon=True)
    porter.start()
    try:
        yield
    finally:
        door.close()
        porter.join()
        reception.close()


class _Reception:
    """A thread for each line: a face may wait long for a storage location far away."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._lines: set[Line] = set()

    def welcome(self, line: Line) -> None:
        with self._lock:
            welcome = line.peer.is_trusted and len(self._lines) < _MOST_LINES
            if welcome:
                self._lines.add(line)
        if welcome:
            threading.Thread(target=self._serve, args=(line,), name="face", daemon=True).start()
        else:
            line.close()

    def close(self) -> None:
        with self._lock:
            lines = tuple(self._lines)
        for line in lines:
            line.close()

    def _serve(self, line: Line) -> None:
        # Whoever hangs up, or talks nonsense, is left alone.
        with suppress(HostError):
            try:
                wire.send(line, wire.Hello())
                wire.receive(line, wire.Hello)
                self._answer(line)
            finally:
                line.close()
                with self._lock:
                    self._lines.discard(line)

    def _answer(self, line: Line) -> None:
        try:
            request: wire.Request = wire.receive(line, wire.Request)  # type: ignore[arg-type] # a union is no type[...]
            if isinstance(request, wire.Subscribe):
                self._tell_news(line)
                return
            result = _do(self._desk, request)
        except HungUpError:
            raise
        except EverbootError as exc:
            wire.send(line, wire.Failure(exc.code, exc.message, exc.hint))
            return
        wire.send(line, wire.Answer(msgspec.Raw(msgspec.json.encode(result))))

    def _tell_news(self, line: Line) -> None:
        waiting: queue.SimpleQueue[Told] = queue.SimpleQueue()
        unsubscribe = self._desk.subscribe(waiting.put)
        # Whoever subscribes says nothing more: what comes is the end of the line.
        watch = threading.Thread(target=_until_closed, args=(line, waiting), daemon=True)
        watch.start()
        try:
            while (told := _latest(waiting)) is not Told.GONE:
                wire.send(line, wire.News(told))
        finally:
            unsubscribe()
            line.close()


def _until_closed(line: Line, waiting: queue.SimpleQueue[Told]) -> None:
    with suppress(OSError):
        line.receive(1)
    waiting.put(Told.GONE)


def _latest(waiting: queue.SimpleQueue[Told]) -> Told:
    """What is worth telling: a slow face is not told of every step that is past."""
    told = {waiting.get()}
    with suppress(queue.Empty):
        while True:
            told.add(waiting.get_nowait())
    for worth in (Told.GONE, Told.CHANGED):
        if worth in told:
            return worth
    return Told.PROGRESS


def _do(desk: Desk, request: wire.Request) -> object:
    """What the desk answers; None to what only says a wish."""
    match request:
        case wire.GetState():
            return desk.state()
        case wire.GetRuns(query):
            return desk.runs(query)
        case wire.Preview(plan):
            return desk.preview_retention(plan)
        case wire.LookAt(location, secrets):
            return desk.look_at(location, secrets)
        case wire.GetReach(plan_id):
            return desk.reach(plan_id)
        case wire.GetSettings():
            return desk.settings()
        case wire.Subscribe():
            raise AssertionError("Whoever subscribes is told news instead.")
        case wish:
            _fulfil(desk, wish)
            return None


def _fulfil(desk: Desk, wish: wire.Wish) -> None:
    match wish:
        case wire.SavePlan(plan, secrets):
            desk.save_plan(plan, secrets)
        case wire.RemovePlan(plan_id):
            desk.remove_plan(plan_id)
        case wire.RunNow(plan_id):
            desk.run_now(plan_id)
        case wire.Stop(run_id):
            desk.stop(run_id)
        case wire.Pause(when, plan_id):
            desk.pause_until(when, plan_id=plan_id)
        case wire.Create(location, secrets):
            desk.create_repository(location, secrets)
        case wire.ChangeSettings(settings):
            desk.change_settings(settings)
        case _:
            assert_never(wish)
