"""Nothing that a restore point needs is deleted on the word of a listing (docs/adr/0003)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.prune_plan import GRACE
from backup_agent.repository.repository import Repository
from backup_agent.repository.witness import Witness
from backup_agent.services.forget import ForgetPoints, run_forget_and_prune
from backup_agent.storage.backend import Data, FileKind, ObjectKey
from backup_agent.storage.cache import CachingBackend
from backup_agent.storage.memory import MemoryBackend

from .lagging import LaggingBackend
from .workshop import (
    NOW,
    back_up,
    check,
    contents,
    create,
    fill,
    forget,
    names,
    prune,
    reopen,
    repair,
)


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def two_points(repository: Repository, folder: Path) -> tuple[Snapshot, Snapshot]:
    """One file is in both, one in the first alone, one in the second alone."""
    fill(folder, "both", "first only")
    first = back_up(repository, folder)
    (folder / "first only").unlink()
    fill(folder, "second only")
    return first, back_up(repository, folder)


# No restore point listed


def test_prune_refuses_to_delete_everything_because_no_point_is_listed(folder: Path) -> None:
    backend = LaggingBackend()
    repository = create(backend)
    two_points(repository, folder)
    backend.unlisted = names(backend, FileKind.SNAPSHOT)
    state = dict(backend.objects)
    with pytest.raises(IntegrityError, match="lists no restore point") as caught:
        prune(reopen(backend))
    assert "--allow-empty" in caught.value.hint
    assert backend.objects == state


def test_prune_of_what_a_first_backup_that_broke_off_left_has_to_be_allowed(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    repository.remove_snapshot(back_up(repository, folder).id)
    with pytest.raises(IntegrityError, match="lists no restore point"):
        prune(repository)
    prune(repository, allow_empty=True)
    assert names(backend, FileKind.PACK) == set()


def test_empty_repository_is_pruned_without_more_ado() -> None:
    assert prune(create(MemoryBackend())).is_empty


def test_forgetting_the_last_point_and_pruning_in_one_go_frees_everything(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    run_forget_and_prune(
        repository,
        ForgetPoints((point.id,)),
        now=NOW,
        on_plan=lambda _plan: None,
        on_prune_plan=lambda _plan: None,
        emit=ignore,
        cancel=CancelToken(),
    )
    assert names(backend, FileKind.PACK) == set()


# Some restore points or index files not listed


@pytest.mark.parametrize("kind", [FileKind.SNAPSHOT, FileKind.INDEX])
def test_what_this_run_has_seen_counts_though_it_is_no_longer_listed(
    folder: Path, kind: FileKind
) -> None:
    backend = LaggingBackend()
    repository = create(backend)
    first, second = two_points(repository, folder)
    expected = contents(repository, second)
    forget(repository, first)
    fill(folder, "third only")
    back_up(repository, folder)
    backend.unlisted = names(backend, kind)
    prune(repository)
    assert contents(repository, second) == expected
    backend.unlisted = set()
    assert check(reopen(backend)).findings == ()


def test_point_in_the_cache_counts_though_it_is_not_listed(folder: Path, cache: Path) -> None:
    backend = LaggingBackend()
    fill(folder, "unlisted")
    back_up(create(backend), folder)
    writer = reopen(backend)
    writer.backend = CachingBackend(backend, cache)
    (unlisted,) = writer.snapshots()
    expected = contents(reopen(backend), unlisted)
    fill(folder, "listed")
    back_up(reopen(backend), folder)
    backend.unlisted = {unlisted.id}

    repository = reopen(backend)
    repository.witness = Witness(cache)
    prune(repository)

    assert contents(reopen(backend), unlisted) == expected
    assert unlisted in repository.snapshots()


def test_point_that_was_removed_elsewhere_does_not_come_back_from_the_cache(
    folder: Path, cache: Path
) -> None:
    backend = MemoryBackend()
    first, second = two_points(create(backend), folder)
    repository = reopen(backend)
    repository.backend = CachingBackend(backend, cache)
    assert repository.snapshots() == [first, second]
    forget(reopen(backend), first)

    again = reopen(backend)
    again.backend, again.witness = CachingBackend(backend, cache), Witness(cache)

    assert again.snapshots() == [second]
    assert Witness(cache).names(FileKind.SNAPSHOT) == {second.id}


@pytest.mark.parametrize("job", [prune, repair])
def test_old_indexes_stay_until_the_new_ones_are_listed(
    folder: Path, job: Callable[[Repository], object]
) -> None:
    class HidingNewIndexes(LaggingBackend):
        hides = False

        def save(self, key: ObjectKey, data: Data) -> None:
            super().save(key, data)
            if self.hides and key.kind is FileKind.INDEX:
                self.unlisted.add(key.name)

    backend = HidingNewIndexes()
    first, second = two_points(create(backend), folder)
    expected = contents(reopen(backend), second)
    forget(reopen(backend), first)
    backend.hides = True
    with pytest.raises(IntegrityError, match="is not listed"):
        job(reopen(backend))
    assert contents(reopen(backend), second) == expected

    backend.hides, backend.unlisted = False, set()
    job(reopen(backend))
    assert contents(reopen(backend), second) == expected
    assert not check(reopen(backend)).errors


# Two phases


def swift(folder: Path | None, backend: MemoryBackend, clock: Clock) -> Repository:
    """The repository as a new process opens it."""
    repository = reopen(backend)
    repository.witness = Witness(folder, clock=clock)
    return repository


def test_packs_leave_the_index_first_and_are_deleted_after_a_day(
    folder: Path, cache: Path, clock: Clock
) -> None:
    backend = LaggingBackend(admits=True)
    first, second = two_points(create(backend), folder)
    expected = contents(reopen(backend), second)
    forget(reopen(backend), first)
    before = names(backend, FileKind.PACK)

    plan = prune(swift(cache, backend, clock))
    assert plan.postponed.keys() == plan.emptied.keys() != set()
    assert plan.freed_bytes <= 0 < plan.postponed_bytes
    assert "packs that wait" in str(plan)
    assert before <= names(backend, FileKind.PACK)
    assert not check(reopen(backend)).errors

    clock.time += GRACE - timedelta(seconds=1)
    early = prune(swift(cache, backend, clock))
    assert early.is_empty
    assert early.waiting.keys() == plan.emptied.keys()
    assert before <= names(backend, FileKind.PACK)

    clock.time += timedelta(seconds=1)
    late = prune(swift(cache, backend, clock))
    assert late.unindexed.keys() == plan.emptied.keys()
    assert late.freed_bytes == plan.postponed_bytes
    assert not late.postponed
    assert check(reopen(backend)).findings == ()
    assert contents(reopen(backend), second) == expected


def test_losing_the_cache_only_delays(folder: Path, cache: Path, clock: Clock) -> None:
    backend = LaggingBackend(admits=True)
    first, _ = two_points(create(backend), folder)
    forget(reopen(backend), first)
    emptied = prune(swift(cache, backend, clock)).emptied.keys()
    clock.time += 30 * GRACE
    (cache / "unreferenced.json").write_text("{damaged")
    assert prune(swift(cache, backend, clock)).waiting.keys() == emptied
    clock.time += GRACE
    assert prune(swift(cache, backend, clock)).unindexed.keys() == emptied


def test_pack_that_was_in_use_again_waits_anew(folder: Path, cache: Path, clock: Clock) -> None:
    backend = LaggingBackend(admits=True)
    first, _ = two_points(create(backend), folder)
    forget(reopen(backend), first)
    emptied = prune(swift(cache, backend, clock)).emptied.keys()
    clock.time += GRACE / 2
    repair(reopen(backend))
    assert emptied <= prune(swift(cache, backend, clock)).emptied.keys()
    clock.time += GRACE / 2
    assert emptied <= prune(swift(cache, backend, clock)).waiting.keys()
    clock.time += GRACE / 2
    assert emptied <= prune(swift(cache, backend, clock)).unindexed.keys()


def test_backup_that_nobody_saw_loses_nothing_to_a_prune(
    folder: Path, cache: Path, clock: Clock
) -> None:
    """Its lock and its snapshot come into the listings when the prune is over."""
    backend = LaggingBackend(admits=True)
    first, second = two_points(create(backend), folder)
    expected = contents(reopen(backend), first)
    forget(reopen(backend), first)
    prune(swift(cache, backend, clock))
    unseen = reopen(backend).save_snapshot(first)

    clock.time += 2 * GRACE
    with pytest.raises(IntegrityError, match="in no index"):
        prune(swift(cache, backend, clock))
    repair(reopen(backend))

    repository = swift(cache, backend, clock)
    prune(repository)
    assert contents(repository, unseen) == expected
    assert contents(repository, second)
    assert not check(repository).errors
