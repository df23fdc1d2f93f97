"""Locks: who may work beside whom, and whose lock is dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.errors import RepositoryLockedError, StorageError, TransientStorageError
from backup_agent.format.lock import Lock, ProcessMark, encode_lock
from backup_agent.repository.locks import (
    SILENT_AFTER,
    STALE_AFTER,
    RepositoryLock,
    find_locks,
    is_stale,
    remove_locks,
)
from backup_agent.repository.process import own_mark
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import Data, FileKind, ObjectInfo, ObjectKey
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


def free_pid() -> int:
    """The number of a process that has ended."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    return dead.pid


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


def test_work_meanwhile_is_done_under_the_lock(repository: Repository) -> None:
    seen: list[int] = []

    def meanwhile() -> None:
        seen.append(len(find_locks(repository)))

    with RepositoryLock(repository, settle_seconds=0, meanwhile=meanwhile):
        assert seen == [1]
    with take(repository, exclusive=True), pytest.raises(RepositoryLockedError):
        RepositoryLock(repository, settle_seconds=0, meanwhile=meanwhile).__enter__()
    assert seen == [1]


def test_lock_is_given_back_when_the_work_meanwhile_fails(repository: Repository) -> None:
    def meanwhile() -> None:
        raise TransientStorageError("The network is gone.")

    with pytest.raises(TransientStorageError):
        RepositoryLock(repository, settle_seconds=0, meanwhile=meanwhile).__enter__()
    assert find_locks(repository) == []


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


def test_a_dead_run_of_this_computer_locks_nothing(repository: Repository) -> None:
    left_over = lock_of(hostname=socket.gethostname(), pid=free_pid(), process=own_mark())
    plant_lock(repository, replace(left_over, exclusive=True))

    with take(repository, exclusive=True):
        assert len(find_locks(repository)) == 1


def test_a_run_of_another_computer_or_container_with_our_name_is_not_taken_for_dead(
    repository: Repository,
) -> None:
    elsewhere = ProcessMark("another boot pid:[4026532177]", 1)
    alive = lock_of(
        hostname=socket.gethostname(), pid=free_pid(), process=elsewhere, exclusive=True
    )
    plant_lock(repository, alive)

    with pytest.raises(RepositoryLockedError), take(repository):
        pass

    assert not is_stale(alive, now=alive.time + SILENT_AFTER)
    assert is_stale(alive, now=alive.time + SILENT_AFTER * 1.01)


def test_restics_lock_with_our_name_lapses_and_is_not_taken_for_dead(
    repository: Repository,
) -> None:
    left_over = lock_of(hostname=socket.gethostname(), pid=free_pid(), exclusive=True)
    plant_lock(repository, left_over)

    with pytest.raises(RepositoryLockedError), take(repository):
        pass

    assert is_stale(left_over, now=left_over.time + SILENT_AFTER * 1.01)


def test_restics_lock_counts_for_half_an_hour_while_its_process_may_be_there() -> None:
    lock = lock_of(hostname=socket.gethostname(), pid=os.getpid(), exclusive=True)
    assert not is_stale(lock, now=lock.time + STALE_AFTER)
    assert is_stale(lock, now=lock.time + STALE_AFTER * 1.01)


def test_a_silent_lock_of_another_computer_counts_for_half_an_hour() -> None:
    lock = lock_of(pid=free_pid())
    assert not is_stale(lock, now=lock.time + STALE_AFTER)


def test_a_dead_run_of_a_computer_with_another_name_lapses() -> None:
    lock = lock_of(pid=free_pid(), process=own_mark())
    assert not is_stale(lock, now=lock.time)


def test_every_lock_says_which_process_wrote_it(repository: Repository) -> None:
    with take(repository):
        (found,) = find_locks(repository)
    assert found.lock is not None
    assert found.lock.process is not None
    assert found.lock.process == own_mark()


def test_who_wants_it_alone_is_refused_where_listings_leave_out_locks() -> None:
    class Blind(MemoryBackend):
        def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
            return iter(()) if kind is FileKind.LOCK else super().list(kind)

    backend = Blind()
    repository = new_repository(backend)
    with take(repository):
        with (
            pytest.raises(RepositoryLockedError, match="does not list the lock"),
            take(repository, exclusive=True),
        ):
            pass
        assert len([path for path in backend.objects if path.startswith("locks/")]) == 1


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


class Hanging(MemoryBackend):
    """Its second lock takes until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = 0
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def save(self, key: ObjectKey, data: Data) -> None:
        if key.kind is FileKind.LOCK:
            self.locks += 1
            if self.locks == 2:
                self.reached.set()
                assert self.go_on.wait(60)
        super().save(key, data)


def test_a_refresh_that_hangs_does_not_keep_the_run_from_ending_and_leaves_no_lock() -> None:
    backend = Hanging()
    repository = new_repository(backend)
    with RepositoryLock(repository, refresh_seconds=0, settle_seconds=0, parting_seconds=0):
        assert backend.reached.wait(60)
        (thread,) = (t for t in threading.enumerate() if t.name == "lock")
    assert find_locks(repository) == []

    backend.go_on.set()
    thread.join(60)
    assert not thread.is_alive()
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
