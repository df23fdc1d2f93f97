"""What a prune keeps, copies and deletes, and when it refuses."""

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
    UsageError,
)
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Event, Notice, ignore
from backup_agent.model.ids import PackId
from backup_agent.repository import packer, prune_plan
from backup_agent.repository import repack as repack_module
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.repository.locks import RepositoryLock, remove_locks
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.packer import OpenPack
from backup_agent.repository.prune import execute_prune
from backup_agent.repository.prune_plan import PrunePlan, plan_prune
from backup_agent.repository.repack import read_sealed
from backup_agent.repository.repository import Repository
from backup_agent.services.prune import preview_prune, run_prune
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.local import LocalBackend
from backup_agent.storage.memory import MemoryBackend

from . import workshop
from .lagging import LaggingBackend
from .workshop import back_up, check, contents, create, fill, forget, names, prune, reopen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "source"


def plan(
    repository: Repository, *, allow_empty: bool = False, max_unused: float = 0.0
) -> PrunePlan:
    return preview_prune(
        repository,
        allow_empty=allow_empty,
        max_unused=max_unused,
        emit=ignore,
        cancel=CancelToken(),
    )


def indexed_packs(repository: Repository) -> dict[str, IndexedPack]:
    return {str(k): v for k, v in merge_packs(load_index_files(repository)).items()}


@pytest.mark.parametrize("version", [1, 2])
def test_prune_frees_what_only_forgotten_points_needed(folder: Path, version: int) -> None:
    backend = MemoryBackend()
    repository = create(backend, version=version)
    fill(folder, "kept", "gone")
    first = back_up(repository, folder)
    (folder / "gone").unlink()
    second = back_up(repository, folder)
    expected = contents(repository, second)
    forget(repository, first)
    before = sum(len(data) for path, data in backend.objects.items() if path.startswith("data/"))

    done = prune(repository)

    after = sum(len(data) for path, data in backend.objects.items() if path.startswith("data/"))
    assert done.unused.count > 0
    assert before - after >= 3000
    assert contents(reopen(backend), second) == expected
    assert check(repository).findings == ()


def test_prune_tells_how_much_it_frees_to_within_the_new_headers(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, *(f"f{n}" for n in range(20)))
    first = back_up(repository, folder)
    for n in range(10):
        (folder / f"f{n}").unlink()
    back_up(repository, folder)
    forget(repository, first)
    before = sum(len(d) for path, d in backend.objects.items() if path.startswith("data/"))
    done = prune(repository)
    after = sum(len(d) for path, d in backend.objects.items() if path.startswith("data/"))
    assert done.freed_bytes - 2000 < before - after <= done.freed_bytes
    assert f"space to be freed:   {done.freed_bytes} bytes" in str(done)


def test_second_prune_finds_nothing_to_do(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    for round_number in range(4):
        fill(folder, f"file{round_number}")
        back_up(repository, folder)
    assert not prune(repository).is_empty
    state = dict(backend.objects)
    assert plan(repository).is_empty
    assert prune(repository).is_empty
    assert backend.objects == state


def test_prune_merges_the_small_packs_and_indexes_of_many_runs(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    points = []
    for round_number in range(5):
        fill(folder, f"file{round_number}")
        points.append(back_up(repository, folder))
    assert len(names(backend, FileKind.PACK)) == 10
    expected = [contents(repository, point) for point in points]
    prune(repository, max_unused=0.05)
    assert len(names(backend, FileKind.PACK)) == 2
    assert len(names(backend, FileKind.INDEX)) == 1
    assert [contents(repository, point) for point in points] == expected


def test_data_may_stay_unused_up_to_the_share_that_is_allowed(folder: Path) -> None:
    repository = create(MemoryBackend())
    fill(folder, *(f"f{n:02}" for n in range(40)), size=2 << 17)
    first = back_up(repository, folder)
    (folder / "f00").unlink()
    back_up(repository, folder)
    forget(repository, first)

    def copies_data(found: PrunePlan) -> bool:
        return any(b.kind is BlobKind.DATA for item in found.repack for b in item.part.blobs)

    assert not copies_data(plan(repository, max_unused=0.05))
    assert copies_data(plan(repository, max_unused=0.001))


def test_dry_run_changes_nothing(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    forget(repository, back_up(repository, folder))
    state = dict(backend.objects)
    assert not plan(repository, allow_empty=True).is_empty
    assert backend.objects == state


def test_packs_in_no_index_are_told_and_deleted(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    stray = ObjectKey(FileKind.PACK, "ab" * 32)
    backend.save(stray, b"left by a run that broke off")
    done = prune(repository)
    assert dict(done.unindexed) == {stray.name: 28}
    assert stray.path not in backend.objects
    assert contents(repository, point)


def test_pack_that_two_indexes_name_is_named_once_afterwards(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    repository.save_index(tuple(merge_packs(load_index_files(repository)).values()))
    assert len(names(backend, FileKind.INDEX)) == 2
    prune(repository)
    packs = [pack.id for file in load_index_files(repository) for pack in file.packs]
    assert len(packs) == len(set(packs))
    assert contents(repository, point)
    assert check(repository).findings == ()


def test_blob_in_two_packs_is_kept_once(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    point = back_up(repository, folder)
    hidden = {path: backend.objects.pop(path) for path in list(backend.objects) if "index/" in path}
    # Without the index the same folder is saved again: every blob is there twice.
    again = back_up(repository, folder)
    backend.objects.update(hidden)
    done = prune(repository)
    assert done.duplicate.count > 0
    blobs = [blob.id for pack in indexed_packs(repository).values() for blob in pack.blobs]
    assert len(blobs) == len(set(blobs))
    assert contents(repository, point) == contents(repository, again)


def test_pack_that_a_listing_leaves_out_is_not_taken_for_lost(folder: Path) -> None:
    backend = LaggingBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    point = back_up(repository, folder)
    backend.unlisted = names(backend, FileKind.PACK)
    done = prune(repository)
    assert done.missing == ()
    assert contents(repository, point)
    assert not check(repository).errors


def test_missing_pack_that_is_needed_stops_the_prune(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    first = back_up(repository, folder)
    fill(folder, "b")
    back_up(repository, folder)
    forget(repository, first)
    lost = data_pack(repository)
    backend.remove(ObjectKey(FileKind.PACK, lost))
    state = dict(backend.objects)
    with pytest.raises(IntegrityError, match=f"{lost} is missing"):
        prune(repository)
    assert backend.objects == state


def data_pack(repository: Repository) -> str:
    """The name of a pack that holds file contents."""
    return next(
        name
        for name, pack in sorted(indexed_packs(repository).items())
        if pack.blobs[0].kind is BlobKind.DATA
    )


def test_missing_pack_that_nothing_needs_leaves_the_index(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    first = back_up(repository, folder)
    gone = data_pack(repository)
    forget(repository, first)
    backend.remove(ObjectKey(FileKind.PACK, gone))
    assert prune(repository, allow_empty=True).missing == (gone,)
    assert indexed_packs(repository) == {}


def test_truncated_pack_that_is_needed_stops_the_prune(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    back_up(repository, folder)
    key = ObjectKey(FileKind.PACK, data_pack(repository))
    workshop.truncate(backend, key)
    state = dict(backend.objects)
    with pytest.raises(IntegrityError, match=f"{key.name} does not have the size"):
        prune(repository)
    assert backend.objects == state


def test_bit_flip_is_found_when_the_blob_is_copied(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    first = back_up(repository, folder)
    key = ObjectKey(FileKind.PACK, data_pack(repository))
    (folder / "a").unlink()
    second = back_up(repository, folder)
    forget(repository, first)
    for blob in indexed_packs(repository)[key.name].blobs:
        workshop.flip_bit(backend, key, blob.offset + 20)
    with pytest.raises(IntegrityError, match=key.name):
        prune(repository)
    assert key.path in backend.objects
    assert repository.load_snapshot(second.id) == second


@pytest.mark.parametrize("damage", ["flip", "truncate", "withhold"])
@pytest.mark.parametrize("kind", [FileKind.SNAPSHOT, FileKind.INDEX])
def test_small_file_that_cannot_be_read_stops_the_prune(
    folder: Path, kind: FileKind, damage: str
) -> None:
    backend = LaggingBackend()
    repository = create(backend)
    fill(folder, "a")
    forget(repository, back_up(repository, folder))
    fill(folder, "b")
    back_up(repository, folder)
    key = workshop.keys(backend, kind)[0]
    if damage == "flip":
        workshop.flip_bit(backend, key, 40)
    elif damage == "truncate":
        workshop.truncate(backend, key)
    else:
        backend.remove(key)
        backend.ghosts.add(key)
    state = dict(backend.objects)
    with pytest.raises(IntegrityError, match=key.name):
        prune(repository)
    assert backend.objects == state


def test_damaged_tree_stops_the_prune_and_names_the_restore_point(folder: Path) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    for name, pack in indexed_packs(repository).items():
        for blob in pack.blobs:
            if blob.kind is BlobKind.TREE:
                workshop.flip_bit(backend, ObjectKey(FileKind.PACK, name), blob.offset + 20)
    state = dict(backend.objects)
    with pytest.raises(IntegrityError, match=point.short_id):
        prune(repository)
    assert backend.objects == state


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


def test_pack_that_mixes_trees_and_data_is_taken_apart(folder: Path) -> None:
    """Restic wrote such before 0.8; trees among data cannot be cached."""
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a")
    point = back_up(repository, folder)
    expected = contents(repository, point)
    mixed, opener = OpenPack(), BlobOpener(repository.sealer())
    for pack in indexed_packs(repository).values():
        for blob in read_sealed(repository, pack, opener):
            mixed.copy_blob(blob.blob, blob.sealed)
    name, data = mixed.close(repository.sealer())
    backend.objects = {p: d for p, d in backend.objects.items() if p[:5] not in ("data/", "index")}
    backend.save(ObjectKey(FileKind.PACK, name), data)
    repository.save_index((IndexedPack(PackId(name), tuple(mixed.blobs)),))
    assert check(repository).findings == ()

    prune(repository, max_unused=0.5)

    kinds = [{blob.kind for blob in pack.blobs} for pack in indexed_packs(repository).values()]
    assert kinds in ([{BlobKind.DATA}, {BlobKind.TREE}], [{BlobKind.TREE}, {BlobKind.DATA}])
    assert contents(repository, point) == expected
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


def test_share_that_may_stay_unused_is_a_share() -> None:
    repository = create(MemoryBackend())
    for nonsense in (-0.1, 1.0):
        with pytest.raises(UsageError):
            plan(repository, max_unused=nonsense)


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
