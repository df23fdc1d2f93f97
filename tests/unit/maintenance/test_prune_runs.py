"""A prune beside other runs, cut off, on storage that refuses, and what comes after it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    IntegrityError,
    JobCancelledError,
    ObjectNotFoundError,
    RepositoryLockedError,
    StorageError,
    StorageFullError,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, Notice, ignore
from backup_agent.repository import packer, prune_plan
from backup_agent.repository import repack as repack_module
from backup_agent.repository.locks import RepositoryLock, remove_locks
from backup_agent.repository.prune import execute_prune
from backup_agent.repository.prune_plan import PrunePlan, plan_prune
from backup_agent.repository.repository import Repository
from backup_agent.services import prune as prune_service
from backup_agent.services.prune import preview_prune, run_prune
from backup_agent.services.repair import preview_repair_index
from backup_agent.storage.backend import Data, FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.local import LocalBackend
from backup_agent.storage.memory import MemoryBackend

from . import workshop
from .prunes import data_pack, plan
from .workshop import back_up, check, contents, create, fill, forget, names, prune, reopen


@pytest.mark.parametrize("kind", [FileKind.SNAPSHOT, FileKind.INDEX])
def test_plan_is_refused_once_another_run_wrote_something(folder: Path, kind: FileKind) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    first = back_up(repository, folder)
    forget(repository, first)
    saved = dict(backend.objects)
    with RepositoryLock(repository, exclusive=True) as lock:
        found = plan_prune(repository, allow_empty=True, emit=ignore, cancel=CancelToken())
        assert found.delete
        if kind is FileKind.SNAPSHOT:
            reopen(backend).save_snapshot(first)
        else:
            reopen(backend).save_index(())
        with pytest.raises(IntegrityError, match="new since"):
            execute_prune(found, repository, lock=lock, emit=ignore, cancel=CancelToken())
    assert saved.items() <= backend.objects.items()


def test_plan_that_counts_on_a_forgotten_point_is_refused_while_that_is_there(
    folder: Path,
) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    with RepositoryLock(repository, exclusive=True) as lock:
        found = plan_prune(repository, forgotten=[point.id], emit=ignore, cancel=CancelToken())
        with pytest.raises(IntegrityError, match="should be gone"):
            execute_prune(found, repository, lock=lock, emit=ignore, cancel=CancelToken())
    assert contents(repository, point)


def test_prune_waits_for_nobody_and_is_refused_beside_another_run(folder: Path) -> None:
    repository = create(MemoryBackend())
    with RepositoryLock(repository), pytest.raises(RepositoryLockedError):
        prune(repository)


def test_raising_when_shown_the_plan_keeps_it_from_being_carried_out(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    forget(repository, back_up(repository, folder))
    state = dict(backend.objects)

    def refuse(_plan: PrunePlan) -> None:
        raise JobCancelledError("Not now.")

    with pytest.raises(JobCancelledError):
        run_prune(repository, allow_empty=True, on_plan=refuse, emit=ignore, cancel=CancelToken())
    assert backend.objects == state


def test_cancelled_prune_leaves_everything_whole(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    first = back_up(repository, folder)
    (folder / "b").unlink()
    second = back_up(repository, folder)
    forget(repository, first)
    for wanted in range(1, 12):
        cancel = CancelToken()
        news = 0

        def stop(_event: object, cancel: CancelToken = cancel, wanted: int = wanted) -> None:
            nonlocal news
            news += 1
            if news == wanted:
                cancel.cancel()

        copy = MemoryBackend()
        copy.objects = dict(backend.objects)
        with contextlib.suppress(JobCancelledError):
            run_prune(reopen(copy), max_unused=0, on_plan=lambda _: None, emit=stop, cancel=cancel)
        assert len(contents(reopen(copy), second)) == 1
        prune(reopen(copy))
        assert check(reopen(copy)).findings == ()


def test_read_only_storage_is_an_access_error(folder: Path) -> None:
    backend = MemoryBackend()
    create(backend)
    read_only = FaultyBackend(backend, fail_at=1, error=AccessDeniedError)
    with pytest.raises(AccessDeniedError):
        prune(reopen(read_only))


def test_dry_run_on_read_only_storage_goes_without_a_lock(folder: Path) -> None:
    backend = MemoryBackend()
    create(backend)
    fill(folder, "a")
    back_up(reopen(backend), folder)
    events: list[Event] = []
    emit, cancel = events.append, CancelToken()

    def read_only() -> Repository:
        return reopen(FaultyBackend(backend, fail_at=1, error=AccessDeniedError))

    assert str(preview_prune(read_only(), emit=emit, cancel=cancel)) == str(
        preview_prune(reopen(backend), emit=ignore, cancel=cancel)
    )
    preview_repair_index(read_only(), emit=emit, cancel=cancel)

    assert events.count(Notice("The storage is read-only: looking without a lock.")) == 2


def test_backup_after_a_prune_does_not_believe_the_index_of_before(folder: Path) -> None:
    """One repository object lives as long as the agent does."""
    repository = create(MemoryBackend())
    fill(folder, "a")
    first = back_up(repository, folder)
    expected = contents(repository, first)
    forget(repository, first)
    prune(repository, allow_empty=True)
    assert contents(repository, back_up(repository, folder)) == expected
    assert check(repository).findings == ()


def test_backup_after_another_process_pruned_does_not_believe_the_old_index(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    first = back_up(repository, folder)
    other = reopen(backend)
    forget(other, first)
    prune(other, allow_empty=True)
    back_up(repository, folder)
    assert check(repository).findings == ()


def test_long_repack_that_broke_off_goes_on_where_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packs are indexed as they are written, so what was copied is not copied again."""
    backend = MemoryBackend()
    repository = create(backend)
    monkeypatch.setattr(packer, "PACK_SIZE", 100_000)
    kept = [f"{n:02}" for n in range(20)]
    fill(folder, *kept, *(f"{n:02} gone" for n in range(20)), size=20_000)
    first = back_up(repository, folder)
    for path in folder.glob("* gone"):
        path.unlink()
    second = back_up(repository, folder)
    forget(repository, first)
    monkeypatch.setattr(repack_module, "PACK_SIZE", 100_000)
    monkeypatch.setattr(repack_module, "PACKS_AN_INDEX", 1)
    monkeypatch.setattr(prune_plan, "SMALL_PACK", 1_000)
    work = plan(repository).repack_bytes
    before = 2  # the lock, and looking for what broken-off saves left
    saved = 3 * 2  # packs and their indexes
    with pytest.raises(StorageError):
        prune(reopen(FaultyBackend(backend, fail_at=before + saved + 1)))
    remove_locks(repository, every=True, now=workshop.NOW)
    assert plan(repository).repack_bytes <= work - 3 * 100_000
    prune(repository)
    assert len(contents(repository, second)) == len(kept)
    assert check(repository).findings == ()


def test_removed_pack_is_gone_for_readers(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    back_up(repository, folder)
    key = ObjectKey(FileKind.PACK, data_pack(repository))
    forget(repository, *repository.snapshots())
    prune(repository, allow_empty=True)
    with pytest.raises(ObjectNotFoundError):
        backend.load(key)
    assert names(backend, FileKind.PACK) == set()
    assert names(backend, FileKind.INDEX) == set()


def test_prune_sweeps_up_what_broken_off_saves_left_and_says_so(
    folder: Path, tmp_path: Path
) -> None:
    backend = LocalBackend(tmp_path / "repository")
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    left = tmp_path / "repository" / "data" / f"{'ab' * 32}-tmp-12"
    left.write_bytes(b"half a pack")
    os.utime(left, (0, 0))
    news: list[Event] = []
    run_prune(repository, on_plan=lambda _plan: None, emit=news.append, cancel=CancelToken())
    assert not left.exists()
    assert [str(e) for e in news if isinstance(e, Notice)] == [
        str(Notice("Files left behind by saves that broke off, removed: 1."))
    ]
    assert contents(repository, point)


class FullBackend(MemoryBackend):
    """Takes no pack that would make all packs together larger than ``capacity`` bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity = 1 << 40

    def save(self, key: ObjectKey, data: Data) -> None:
        if key.kind is FileKind.PACK:
            used = sum(pack.size for pack in self.list(FileKind.PACK))
            if used + len(data) > self.capacity:
                raise StorageFullError("memory is full")
        super().save(key, data)

    def fill_up(self) -> None:
        self.capacity = sum(pack.size for pack in self.list(FileKind.PACK))


def test_on_full_storage_a_prune_deletes_first_what_needs_no_copying(folder: Path) -> None:
    backend = FullBackend()
    repository = create(backend)
    fill(folder, "unused", size=300_000)
    first = back_up(repository, folder)
    (folder / "unused").unlink()
    fill(folder, "kept", "dropped", seed=1, size=100_000)
    second = back_up(repository, folder)
    (folder / "dropped").unlink()
    third = back_up(repository, folder)
    forget(repository, first, second)
    backend.fill_up()
    before = backend.capacity

    done = prune(repository)

    assert done.repack
    assert sum(pack.size for pack in backend.list(FileKind.PACK)) < before - 390_000
    assert check(repository).findings == ()
    assert contents(repository, third)


def test_on_full_storage_packs_that_are_all_partly_needed_are_emptied_in_steps(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packer, "PACK_SIZE", 250_000)
    monkeypatch.setattr(repack_module, "PACK_SIZE", 250_000)
    monkeypatch.setattr(prune_service, "FIRST_STEP", 400_000)
    monkeypatch.setattr(prune_service, "_SMALLEST_STEP", 50_000)
    backend = FullBackend()
    repository = create(backend)
    # In the order in which they are packed.
    fill(folder, *(f"{n} {fate}" for n in range(8) for fate in ("dropped", "kept")), size=130_000)
    first = back_up(repository, folder)
    for file in folder.glob("* dropped"):
        file.unlink()
    second = back_up(repository, folder)
    forget(repository, first)
    backend.fill_up()
    before = backend.capacity
    backend.capacity += 350_000  # not for all that has to be copied, which is a million
    told: list[Event] = []

    run_prune(
        repository,
        max_unused=0.0,
        on_plan=lambda _plan: None,
        emit=told.append,
        cancel=CancelToken(),
    )

    assert sum(pack.size for pack in backend.list(FileKind.PACK)) < before * 0.6
    assert any(isinstance(each, Notice) and "in steps" in each.message for each in told)
    assert check(repository).findings == ()
    assert contents(repository, second)


def test_where_nothing_can_be_deleted_without_copying_a_full_storage_says_so(
    folder: Path,
) -> None:
    backend = FullBackend()
    repository = create(backend)
    fill(folder, "kept", "dropped", size=100_000)
    first = back_up(repository, folder)
    (folder / "dropped").unlink()
    second = back_up(repository, folder)
    forget(repository, first)
    repository = reopen(backend)
    backend.fill_up()

    with pytest.raises(StorageFullError) as refusal:
        prune(repository)

    assert "quota raised" in refusal.value.hint
    assert contents(repository, second)
