from __future__ import annotations

import pytest

from backup_agent.errors import StorageError, TransientStorageError
from backup_agent.storage.backend import Backend, FileKind
from backup_agent.storage.faulty import FaultyBackend, Moment
from backup_agent.storage.memory import MemoryBackend
from tests.unit.storage.objects import key_of

KEYS = [key_of(bytes([number])) for number in range(3)]


def story(backend: Backend) -> None:
    """Four operations that change something, and reads between them."""
    backend.save(KEYS[0], b"0")
    backend.save(KEYS[1], b"1")
    assert backend.load(KEYS[0]) == b"0"
    backend.remove(KEYS[0])
    list(backend.list(FileKind.PACK))
    backend.save(KEYS[2], b"2")


def names_after(fail_at: int, moment: Moment) -> set[str]:
    inner = MemoryBackend()
    with pytest.raises(StorageError):
        story(FaultyBackend(inner, fail_at=fail_at, moment=moment))
    return {path[-64:] for path in inner.objects}


def test_without_a_number_nothing_fails_and_changes_are_counted() -> None:
    backend = FaultyBackend(MemoryBackend())
    story(backend)
    assert backend.operations == 4


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_failing_before_leaves_what_the_earlier_operations_did(fail_at: int) -> None:
    states = [set(), {0}, {0, 1}, {1}]
    assert names_after(fail_at, Moment.BEFORE) == {KEYS[n].name for n in states[fail_at - 1]}


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_failing_after_has_done_the_operation(fail_at: int) -> None:
    states = [{0}, {0, 1}, {1}, {1, 2}]
    assert names_after(fail_at, Moment.AFTER) == {KEYS[n].name for n in states[fail_at - 1]}


def test_for_good_every_later_change_fails_and_reading_goes_on() -> None:
    backend = FaultyBackend(MemoryBackend(), fail_at=1, moment=Moment.AFTER)
    with pytest.raises(StorageError):
        backend.save(KEYS[0], b"0")
    with pytest.raises(StorageError):
        backend.remove(KEYS[0])
    with pytest.raises(StorageError):
        backend.prepare()
    assert backend.load(KEYS[0]) == b"0"


def test_a_single_failure_heals() -> None:
    backend = FaultyBackend(MemoryBackend(), fail_at=1, for_good=False, error=TransientStorageError)
    with pytest.raises(TransientStorageError):
        backend.save(KEYS[0], b"0")
    backend.save(KEYS[0], b"0")
    assert backend.load(KEYS[0]) == b"0"
