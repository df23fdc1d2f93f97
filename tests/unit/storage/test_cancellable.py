"""Requests that hang, and somebody who wants to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from backup_agent.errors import JobCancelledError, ObjectNotFoundError
from backup_agent.model.cancel import CancelToken
from backup_agent.storage.backend import Data, FileKind, ObjectKey
from backup_agent.storage.cancellable import CancellableBackend
from backup_agent.storage.memory import MemoryBackend
from tests.unit.storage.objects import key_of

SAMPLE = b"sample"


class Hanging(MemoryBackend):
    """Saves when it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def save(self, key: ObjectKey, data: Data) -> None:
        self.reached.set()
        assert self.go_on.wait(60)
        super().save(key, data)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    backend = Hanging()
    yield backend
    backend.go_on.set()
    for thread in threading.enumerate():
        if thread.name == "request":
            thread.join(60)


def test_a_request_under_way_is_left_behind_by_who_cancels(hanging: Hanging) -> None:
    cancel = CancelToken()

    def stop() -> None:
        assert hanging.reached.wait(60)
        cancel.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(JobCancelledError):
        CancellableBackend(hanging, cancel).save(key_of(SAMPLE), SAMPLE)
    stopper.join()
    assert not hanging.go_on.is_set()


def test_what_begins_after_the_cancel_is_still_tried_for_a_moment(hanging: Hanging) -> None:
    cancel = CancelToken()
    cancel.cancel()
    backend = CancellableBackend(hanging, cancel, parting_seconds=0.1)
    hanging.objects[key_of(SAMPLE).path] = SAMPLE

    with pytest.raises(JobCancelledError):
        backend.save(key_of(b"other"), b"other")
    CancellableBackend(hanging, cancel, parting_seconds=60).remove(key_of(SAMPLE))

    assert hanging.objects == {}


def test_answers_and_errors_come_through() -> None:
    inner = MemoryBackend()
    backend = CancellableBackend(inner, CancelToken())
    many = [b"%d" % number for number in range(2500)]
    for data in many:
        inner.save(key_of(data), data)

    assert backend.load(key_of(b"7"), 0, 1) == b"7"
    assert backend.size(key_of(b"17")) == 2
    assert {info.name for info in backend.list(FileKind.PACK)} == {key_of(d).name for d in many}
    with pytest.raises(ObjectNotFoundError):
        backend.load(key_of(SAMPLE))
