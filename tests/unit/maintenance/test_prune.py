"""What a prune keeps, copies and deletes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import (
    UsageError,
)
from backup_agent.format.index import IndexedPack
from backup_agent.format.pack import BlobKind
from backup_agent.model.ids import PackId
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.packer import OpenPack
from backup_agent.repository.prune_plan import PrunePlan
from backup_agent.repository.repack import read_sealed
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend

from .prunes import indexed_packs, plan
from .workshop import back_up, check, contents, create, fill, forget, names, prune, reopen


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


def test_share_that_may_stay_unused_is_a_share() -> None:
    repository = create(MemoryBackend())
    for nonsense in (-0.1, 1.0):
        with pytest.raises(UsageError):
            plan(repository, max_unused=nonsense)
