from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    JobCancelledError,
    ObjectNotFoundError,
    StorageError,
    TransientStorageError,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Event, TryingAgain, ignore
from backup_agent.storage.backend import Data, FileKind, ObjectInfo, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from backup_agent.storage.retry import Patience, RetryingBackend
from tests.unit.storage.fake_time import FakeTime
from tests.unit.storage.objects import key_of

DATA = b"some pack"
KEY = key_of(DATA)
USUAL = Patience()


class Failing(MemoryBackend):
    """Fails its first ``failures`` calls, of whatever kind."""

    def __init__(self, failures: int, error: StorageError | None = None) -> None:
        super().__init__()
        self.failures = failures
        self.calls = 0
        self._error = error or TransientStorageError("the line is down")

    def _fail(self) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise self._error

    def prepare(self) -> None:
        self._fail()

    def save(self, key: ObjectKey, data: Data) -> None:
        self._fail()
        super().save(key, data)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        self._fail()
        return super().load(key, offset, length)

    def size(self, key: ObjectKey) -> int:
        self._fail()
        return super().size(key)

    def remove(self, key: ObjectKey) -> None:
        self._fail()
        super().remove(key)


class BreakingOffListings(MemoryBackend):
    """Each listing but the last breaks off one object later, and turns the order round."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.listings = 0
        self._failures = failures

    def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
        self.listings += 1
        infos = list(super().list(kind))
        if self.listings % 2:
            infos.reverse()
        if self.listings > self._failures:
            yield from infos
            return
        yield from infos[: self.listings]
        raise TransientStorageError("the listing broke off")


def retrying(
    inner: MemoryBackend, time: FakeTime, *, patience: Patience = USUAL, emit: Emit = ignore
) -> RetryingBackend:
    return RetryingBackend(
        inner,
        wait=time.wait,
        clock=time.clock,
        jitter=lambda: 1.0,
        patience=patience,
        emit=emit,
    )


OPERATIONS: dict[str, Callable[[RetryingBackend], object]] = {
    "prepare": lambda backend: backend.prepare(),
    "save": lambda backend: backend.save(KEY, DATA),
    "load": lambda backend: backend.load(KEY),
    "size": lambda backend: backend.size(KEY),
    "remove": lambda backend: backend.remove(KEY),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_tried_again_until_it_succeeds(name: str) -> None:
    inner, time = Failing(3), FakeTime()
    inner.objects[KEY.path] = DATA
    OPERATIONS[name](retrying(inner, time))
    assert inner.calls == 4
    assert time.pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "error", [ObjectNotFoundError("gone"), AccessDeniedError("no"), StorageError("?")]
)
def test_an_error_that_time_does_not_heal_is_raised_at_once(error: StorageError) -> None:
    inner, time = Failing(1, error), FakeTime()
    with pytest.raises(type(error)):
        retrying(inner, time).load(KEY)
    assert inner.calls == 1
    assert time.pauses == []


def test_a_place_that_never_answered_is_given_up_early() -> None:
    inner, time = Failing(100), FakeTime()
    with pytest.raises(TransientStorageError):
        retrying(inner, time, patience=Patience(first_tries=4)).load(KEY)
    assert inner.calls == 4


def test_a_place_that_answered_before_is_waited_for_longer() -> None:
    inner, time = Failing(0), FakeTime()
    backend = retrying(inner, time, patience=Patience(first_tries=2, tries=6))
    backend.save(KEY, DATA)
    inner.failures, inner.calls = 5, 0
    assert backend.load(KEY) == DATA
    assert inner.calls == 6


def test_tries_end_when_the_time_is_up() -> None:
    inner, time = Failing(1000), FakeTime()
    patience = Patience(first_tries=1000, total_seconds=100, longest_pause_seconds=10)
    with pytest.raises(TransientStorageError, match="line is down"):
        retrying(inner, time, patience=patience).load(KEY)
    assert sum(time.pauses) <= 100
    assert max(time.pauses) == 10


def test_jitter_shortens_a_pause_by_half_at_most() -> None:
    time = FakeTime()
    backend = RetryingBackend(Failing(2), wait=time.wait, clock=time.clock, jitter=lambda: 0.0)
    backend.prepare()
    assert time.pauses == [0.25, 0.5]


def test_a_listing_that_breaks_off_yields_everything_once() -> None:
    inner = BreakingOffListings(failures=3)
    keys = [key_of(bytes([number])) for number in range(10)]
    for number, key in enumerate(keys):
        inner.save(key, bytes(number))
    listed = list(retrying(inner, FakeTime()).list(FileKind.PACK))
    assert inner.listings == 4
    assert sorted(info.name for info in listed) == sorted(key.name for key in keys)


def test_a_listing_that_never_ends_well_raises_instead_of_looking_short() -> None:
    inner = BreakingOffListings(failures=1000)
    inner.save(KEY, DATA)
    with pytest.raises(TransientStorageError, match="broke off"):
        list(retrying(inner, FakeTime()).list(FileKind.PACK))


def test_every_pause_is_news() -> None:
    heard: list[Event] = []
    retrying(Failing(2), FakeTime(), emit=heard.append).prepare()
    assert [type(event) for event in heard] == [TryingAgain, TryingAgain]
    assert "the line is down" in str(heard[0])


def test_an_object_that_is_shorter_than_asked_for_is_not_asked_for_again() -> None:
    inner, time = Failing(0), FakeTime()
    inner.objects[KEY.path] = DATA
    with pytest.raises(StorageError) as caught:
        retrying(inner, time).load(KEY, 2, len(DATA))
    assert not isinstance(caught.value, TransientStorageError)
    assert time.pauses == []


def test_cancelling_ends_the_pause_between_two_tries() -> None:
    cancel = CancelToken()
    outcome: list[str] = []

    def work() -> None:
        with pytest.raises(JobCancelledError):
            backend.load(KEY)
        outcome.append("stopped")

    inner = Failing(1000)
    patience = Patience(first_pause_seconds=3600, longest_pause_seconds=3600, total_seconds=1e9)
    backend = RetryingBackend(
        inner,
        wait=cancel.wait,
        clock=lambda: 0.0,
        patience=patience,
        emit=lambda _pause: cancel.cancel(),
    )
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(60)
    assert outcome == ["stopped"]
    assert inner.calls == 1


def test_a_cancelled_run_still_removes_what_it_can_at_the_first_try() -> None:
    cancel, inner = CancelToken(), Failing(0)
    inner.objects[KEY.path] = DATA
    cancel.cancel()
    RetryingBackend(inner, wait=cancel.wait, clock=lambda: 0.0).remove(KEY)
    assert inner.objects == {}
