"""Passwords come and go; the data stay."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.errors import StorageError, UsageError, WrongPasswordError
from backup_agent.format.lock import Lock, encode_lock
from backup_agent.repository.locks import RepositoryLock, remove_locks
from backup_agent.repository.repository import Repository, open_repository
from backup_agent.services.keys import (
    add_password,
    change_password,
    list_passwords,
    remove_password,
)
from backup_agent.services.unlock import run_unlock
from backup_agent.storage.backend import FileKind
from backup_agent.storage.faulty import FaultyBackend, Moment
from backup_agent.storage.memory import MemoryBackend

from .workshop import NOW, PASSWORD, WEAK, create, keys, names, truncate

OTHER = "battery staple"


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def repository(backend: MemoryBackend) -> Repository:
    return create(backend)


def test_added_password_opens_beside_the_first(
    backend: MemoryBackend, repository: Repository
) -> None:
    name = add_password(repository, OTHER, username="ann", hostname="desk", parameters=WEAK)
    assert open_repository(backend, OTHER).master == open_repository(backend, PASSWORD).master
    listed = list_passwords(repository)
    assert {key.name for key in listed.keys if not key.in_use} == {name}
    (new,) = (key for key in listed.keys if key.name == name)
    assert (new.username, new.hostname) == ("ann", "desk")
    assert listed.damaged == ()


def test_removed_password_opens_nothing(backend: MemoryBackend, repository: Repository) -> None:
    name = add_password(repository, OTHER, parameters=WEAK)
    assert remove_password(repository, name[:10]) == name
    with pytest.raises(WrongPasswordError):
        open_repository(backend, OTHER)
    open_repository(backend, PASSWORD)


def test_password_in_use_cannot_be_removed(backend: MemoryBackend, repository: Repository) -> None:
    add_password(repository, OTHER, parameters=WEAK)
    with pytest.raises(UsageError, match="opened the repository"):
        remove_password(repository, repository.key_name)
    for nonsense in ("", "zz"):
        with pytest.raises(UsageError):
            remove_password(repository, nonsense)
    assert len(keys(backend, FileKind.KEY)) == 2


def test_changed_password_takes_the_place_of_the_old(
    backend: MemoryBackend, repository: Repository
) -> None:
    name = change_password(repository, OTHER, parameters=WEAK)
    assert names(backend, FileKind.KEY) == {name}
    assert repository.key_name == name
    with pytest.raises(WrongPasswordError):
        open_repository(backend, PASSWORD)
    open_repository(backend, OTHER)


def test_empty_password_is_refused(backend: MemoryBackend, repository: Repository) -> None:
    before = names(backend, FileKind.KEY)
    for job in (add_password, change_password):
        with pytest.raises(UsageError):
            job(repository, "", parameters=WEAK)
    assert names(backend, FileKind.KEY) == before


def test_damaged_key_is_listed_and_can_be_removed(
    backend: MemoryBackend, repository: Repository
) -> None:
    name = add_password(repository, OTHER, parameters=WEAK)
    (key,) = (key for key in keys(backend, FileKind.KEY) if key.name == name)
    truncate(backend, key)
    assert list_passwords(repository).damaged == (key.path,)
    remove_password(repository, name)
    assert list_passwords(repository).damaged == ()


@pytest.mark.parametrize("moment", list(Moment))
def test_change_that_breaks_off_anywhere_leaves_a_password_that_opens(moment: Moment) -> None:
    start = MemoryBackend()
    create(start)
    counting = FaultyBackend(copy_of(start))
    change_password(open_repository(counting, PASSWORD), OTHER, parameters=WEAK)
    for fail_at in range(1, counting.operations + 1):
        backend = copy_of(start)
        repository = open_repository(
            FaultyBackend(backend, fail_at=fail_at, moment=moment), PASSWORD
        )
        with contextlib.suppress(StorageError):
            change_password(repository, OTHER, parameters=WEAK)
        opened = 0
        for password in (PASSWORD, OTHER):
            with contextlib.suppress(WrongPasswordError):
                open_repository(backend, password)
                opened += 1
        assert opened >= 1


def copy_of(backend: MemoryBackend) -> MemoryBackend:
    copy = MemoryBackend()
    copy.objects = dict(backend.objects)
    return copy


def test_unlock_removes_stale_locks_only_unless_told_otherwise(
    backend: MemoryBackend, repository: Repository
) -> None:
    def leave_lock(age: timedelta) -> str:
        lock = Lock(NOW - age, exclusive=True, hostname="elsewhere", username="ann", pid=1)
        return repository.save_file(FileKind.LOCK, encode_lock(lock))

    leave_lock(timedelta(hours=1))
    fresh = leave_lock(timedelta(minutes=1))
    assert run_unlock(repository, every=False, now=NOW) == 1
    assert names(backend, FileKind.LOCK) == {fresh}
    assert run_unlock(repository, every=True, now=NOW) == 1
    assert names(backend, FileKind.LOCK) == set()


def test_unlock_leaves_the_lock_of_a_running_process(repository: Repository) -> None:
    with RepositoryLock(repository):
        assert remove_locks(repository, every=False, now=datetime.now(UTC)) == 0
