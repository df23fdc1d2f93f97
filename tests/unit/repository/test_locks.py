"""Locks: who may work beside whom, and whose lock is dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from backup_agent.errors import RepositoryLockedError, StorageError
from backup_agent.format.lock import Lock, encode_lock
from backup_agent.repository.locks import (
    STALE_AFTER,
    RepositoryLock,
    find_locks,
    is_stale,
    remove_locks,
)
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import Data, FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from tests.points import new_repository


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def repository() -> Repository:
    return new_repository()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lock_of(**changes: object) -> Lock:
    fields: dict[str, object] = {
        "time": datetime.now(UTC),
        "exclusive": False,
        "hostname": "elsewhere",
        "username": "bob",
        "pid": 4711,
    }
    return Lock(**(fields | changes))  # type: ignore[arg-type]  # built from names


def plant_lock(repository: Repository, lock: Lock) -> str:
    return repository.save_file(FileKind.LOCK, encode_lock(lock))


def take(repository: Repository, *, exclusive: bool = False) -> RepositoryLock:
    return RepositoryLock(repository, exclusive=exclusive, settle_seconds=0)


def test_many_may_share(repository: Repository) -> None:
    with take(repository), take(repository):
        assert len(find_locks(repository)) == 2
    assert find_locks(repository) == []


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_who_wants_it_alone_gets_it_alone(
    repository: Repository, first: bool, second: bool
) -> None:
    with take(repository, exclusive=first):
        with (
            pytest.raises(RepositoryLockedError, match=str(os.getpid())),
            take(repository, exclusive=second),
        ):
            pass
        assert len(find_locks(repository)) == 1
    with take(repository, exclusive=second):
        pass


def test_another_computers_lock_counts_until_it_is_half_an_hour_old(
    repository: Repository,
) -> None:
    fresh = plant_lock(repository, lock_of(exclusive=True))
    with pytest.raises(RepositoryLockedError, match="bob on elsewhere"), take(repository):
        pass
    repository.backend.remove(ObjectKey(FileKind.LOCK, fresh))
    plant_lock(repository, lock_of(exclusive=True, time=datetime.now(UTC) - STALE_AFTER * 1.01))

    with take(repository, exclusive=True):
        assert len(find_locks(repository)) == 1


def test_a_dead_process_of_this_computer_locks_nothing(repository: Repository) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    plant_lock(repository, lock_of(hostname=socket.gethostname(), pid=dead.pid, exclusive=True))

    with take(repository, exclusive=True):
        assert len(find_locks(repository)) == 1


@pytest.mark.parametrize("pid", [-1, 0, 1 << 31, 1 << 40])
def test_an_impossible_process_locks_nothing(pid: int) -> None:
    assert is_stale(lock_of(hostname=socket.gethostname(), pid=pid), now=datetime.now(UTC))


def test_a_process_that_took_over_a_dead_ones_number_locks_nothing() -> None:
    started = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    before = lock_of(
        hostname=socket.gethostname(), pid=os.getpid(), time=started - timedelta(minutes=5)
    )

    assert is_stale(before, now=started)
    assert not is_stale(
        lock_of(hostname=socket.gethostname(), pid=os.getpid()), now=datetime.now(UTC)
    )


@pytest.mark.parametrize(
    ("own", "step", "stale"),
    [(False, 50, False), (False, 70, True), (True, 1000, False)],
)
def test_a_clock_set_forward_does_not_make_a_run_look_dead(
    monkeypatch: pytest.MonkeyPatch, own: bool, step: float, stale: bool
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(psutil.Process, "create_time", lambda _self: now.timestamp() + step)
    pid = os.getpid() if own else os.getppid()
    lock = lock_of(hostname=socket.gethostname(), pid=pid, time=now)

    assert is_stale(lock, now=now + timedelta(seconds=step)) is stale


def test_a_damaged_lock_locks_nothing(repository: Repository) -> None:
    backend = repository.backend
    assert isinstance(backend, MemoryBackend)
    backend.objects[f"locks/{'ab' * 32}"] = b"cut sh"

    with take(repository, exclusive=True):
        assert len(find_locks(repository)) == 1


def test_a_lapsed_lock_is_noticed_before_a_commit(repository: Repository, clock: Clock) -> None:
    with RepositoryLock(repository, now=clock, settle_seconds=0) as lock:
        lock.ensure_held()
        clock.time += STALE_AFTER
        (found,) = find_locks(repository)
        lock.ensure_held()
        (renewed,) = find_locks(repository)
        assert renewed.name != found.name

        clock.time += STALE_AFTER
        remove_locks(repository, every=True, now=clock.time)
        with pytest.raises(RepositoryLockedError, match="lost"):
            lock.ensure_held()


def test_a_lock_lost_is_lost_for_good_though_the_thread_looked_first(
    repository: Repository, clock: Clock
) -> None:
    lock = RepositoryLock(repository, now=clock, refresh_seconds=0, settle_seconds=0)
    with lock:
        (thread,) = (t for t in threading.enumerate() if t.name == "lock")
        # It may write a new file while the old one goes: again until it notices.
        while thread.is_alive():
            remove_locks(repository, every=True, now=clock.time)

        for _ in range(2):
            with pytest.raises(RepositoryLockedError, match="lost"):
                lock.ensure_held()
        assert find_locks(repository) == []


def test_a_lock_removed_while_its_successor_is_written_is_lost(clock: Clock) -> None:
    class Raced(MemoryBackend):
        raced = False

        def save(self, key: ObjectKey, data: Data) -> None:
            if self.raced:
                for info in list(self.list(FileKind.LOCK)):
                    self.remove(ObjectKey(FileKind.LOCK, info.name))
            super().save(key, data)

    backend = Raced()
    repository = new_repository(backend)
    with RepositoryLock(repository, now=clock, settle_seconds=0) as lock:
        clock.time += STALE_AFTER
        backend.raced = True
        for _ in range(2):
            with pytest.raises(RepositoryLockedError, match="lost"):
                lock.ensure_held()
        assert find_locks(repository) == []


def test_a_lock_is_refreshed_by_a_new_file_before_the_old_one_goes(clock: Clock) -> None:
    class Watched(MemoryBackend):
        def __init__(self) -> None:
            super().__init__()
            self.refreshed = threading.Event()
            self.fewest = 1

        def save(self, key: ObjectKey, data: Data) -> None:
            super().save(key, data)
            if key.kind is FileKind.LOCK:
                clock.time += timedelta(seconds=1)

        def remove(self, key: ObjectKey) -> None:
            super().remove(key)
            if key.kind is FileKind.LOCK and not self.refreshed.is_set():
                self.fewest = len(list(self.list(FileKind.LOCK)))
                self.refreshed.set()

    backend = Watched()
    repository = new_repository(backend)
    with RepositoryLock(repository, now=clock, refresh_seconds=0, settle_seconds=0):
        assert backend.refreshed.wait(60)

    assert backend.fewest == 1
    assert find_locks(repository) == []


class Clinging(MemoryBackend):
    """Removes no lock while told to fail."""

    failing = False

    def remove(self, key: ObjectKey) -> None:
        if self.failing and key.kind is FileKind.LOCK:
            raise StorageError("away")
        super().remove(key)


@pytest.mark.parametrize("again", [True, False], ids=["next refresh", "exit"])
def test_an_old_lock_that_could_not_be_removed_is_tried_again(clock: Clock, again: bool) -> None:
    backend = Clinging()
    repository = new_repository(backend)
    with RepositoryLock(repository, exclusive=True, now=clock, settle_seconds=0) as lock:
        backend.failing = True
        clock.time += STALE_AFTER
        lock.ensure_held()
        assert len(find_locks(repository)) == 2

        backend.failing = False
        if again:
            clock.time += STALE_AFTER
            lock.ensure_held()
            assert len(find_locks(repository)) == 1
    assert find_locks(repository) == []


def test_an_exclusive_lock_that_cannot_be_removed_is_said() -> None:
    backend = Clinging()
    with pytest.raises(StorageError, match="away"), take(new_repository(backend), exclusive=True):
        backend.failing = True


def test_unlock_removes_the_stale_or_all(repository: Repository) -> None:
    plant_lock(repository, lock_of(time=datetime.now(UTC) - timedelta(hours=1)))
    plant_lock(repository, lock_of())

    assert remove_locks(repository, every=False, now=datetime.now(UTC)) == 1
    assert remove_locks(repository, every=True, now=datetime.now(UTC)) == 1
    assert find_locks(repository) == []
