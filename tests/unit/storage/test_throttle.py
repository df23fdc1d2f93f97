from __future__ import annotations

import threading

import pytest

from backup_agent.errors import JobCancelledError
from backup_agent.model.cancel import CancelToken
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from backup_agent.storage.throttle import Throttle, ThrottledBackend
from tests.unit.storage.fake_time import FakeTime
from tests.unit.storage.objects import key_of

RATE = 100_000


class CountingBackend(MemoryBackend):
    """Notes how many bytes each read asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[int | None] = []

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        self.reads.append(length)
        return super().load(key, offset, length)


def throttled(
    inner: MemoryBackend, time: FakeTime, *, up: int = 0, down: int = 0
) -> ThrottledBackend:
    return ThrottledBackend(
        inner,
        upload=Throttle(up, clock=time.clock, wait=time.wait),
        download=Throttle(down, clock=time.clock, wait=time.wait),
    )


def test_saving_takes_the_time_that_the_limit_says() -> None:
    time, start = FakeTime(), FakeTime().now
    backend = throttled(MemoryBackend(), time, up=RATE)
    for number in range(10):
        data = bytes([number]) * RATE
        backend.save(key_of(data), data)
    assert time.now - start == pytest.approx(10)


def test_loading_takes_the_time_that_the_limit_says() -> None:
    time, inner, data = FakeTime(), MemoryBackend(), bytes(10 * RATE)
    inner.save(key_of(data), data)
    start = time.now
    assert throttled(inner, time, down=RATE).load(key_of(data)) == data
    assert time.now - start == pytest.approx(10)


def test_a_large_read_flows_in_pieces_of_a_second() -> None:
    time, inner, data = FakeTime(), CountingBackend(), bytes(range(250)) * 4000
    inner.save(key_of(data), data)
    backend = throttled(inner, time, down=RATE)
    assert backend.load(key_of(data), 5, 300_001) == data[5:300_006]
    assert inner.reads == [RATE, RATE, RATE, 1]
    assert max(time.pauses) == pytest.approx(1)


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (10, None), (11, None), (3, 7)])
def test_odd_ranges_are_read_as_without_a_limit(offset: int, length: int | None) -> None:
    inner, data = MemoryBackend(), b"0123456789"
    inner.save(key_of(data), data)
    limited = throttled(inner, FakeTime(), down=RATE).load(key_of(data), offset, length)
    assert limited == inner.load(key_of(data), offset, length)


def test_no_limit_never_waits() -> None:
    time, data = FakeTime(), bytes(1_000_000)
    backend = throttled(MemoryBackend(), time)
    backend.save(key_of(data), data)
    backend.load(key_of(data))
    assert time.pauses == []


def test_up_and_down_are_limited_apart() -> None:
    time, data = FakeTime(), bytes(RATE)
    backend = throttled(MemoryBackend(), time, down=RATE)
    backend.save(key_of(data), data)
    assert time.pauses == []
    backend.load(key_of(data))
    assert time.pauses == [pytest.approx(1)]


def test_threads_share_one_limit() -> None:
    # The clock stands still, so each thread's pause tells its place in the queue.
    pauses: list[float] = []
    throttle = Throttle(RATE, clock=lambda: 0.0, wait=pauses.append)
    threads = [threading.Thread(target=throttle.pay, args=(RATE,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pauses) == pytest.approx([1, 2, 3, 4, 5, 6, 7, 8])


def test_an_idle_line_saves_nothing_up() -> None:
    time = FakeTime()
    throttle = Throttle(RATE, clock=time.clock, wait=time.wait)
    throttle.pay(RATE)
    time.now += 3600
    throttle.pay(RATE)
    assert time.pauses == [pytest.approx(1), pytest.approx(1)]


def test_a_lock_goes_past_the_limits_whatever_waits_there() -> None:
    time, pack = FakeTime(), bytes(100 * RATE)
    backend = throttled(MemoryBackend(), time, up=RATE, down=RATE)
    backend.save(key_of(pack), pack)
    time.pauses.clear()
    lock = key_of(b"lock", FileKind.LOCK)

    backend.save(lock, b"lock")

    assert backend.load(lock) == b"lock"
    assert backend.load(lock, 1, 2) == b"oc"
    assert time.pauses == []


def test_cancelling_ends_the_wait_for_the_line_before_anything_travels() -> None:
    inner, cancel, pack = MemoryBackend(), CancelToken(), bytes(RATE)
    line = Throttle(1, wait=cancel.wait)
    backend = ThrottledBackend(inner, upload=line, download=line)
    cancel.cancel()
    with pytest.raises(JobCancelledError):
        backend.save(key_of(pack), pack)
    assert inner.objects == {}


def test_the_rest_passes_through() -> None:
    inner = MemoryBackend()
    backend = throttled(inner, FakeTime(), up=RATE, down=RATE)
    key = key_of(b"x")
    backend.prepare()
    backend.save(key, b"x")
    assert backend.size(key) == 1
    assert [info.name for info in backend.list(FileKind.PACK)] == [key.name]
    backend.remove(key)
    assert inner.objects == {}
    assert backend.location == inner.location


def test_a_limit_that_follows_the_time_of_day_is_asked_for_each_time() -> None:
    time, limits = FakeTime(), [RATE, 0, RATE * 2]
    throttle = Throttle(lambda: limits.pop(0), clock=time.clock, wait=time.wait)
    took = []

    for _ in range(3):
        before = time.clock()
        throttle.pay(RATE)
        took.append(time.clock() - before)

    assert took == pytest.approx([1, 0, 0.5])
