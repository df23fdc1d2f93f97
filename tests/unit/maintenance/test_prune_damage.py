"""A prune that finds something damaged or missing stops before anything is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import (
    IntegrityError,
)
from backup_agent.format.pack import BlobKind
from backup_agent.repository.inventory import load_index_files, merge_packs
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend

from . import workshop
from .lagging import LaggingBackend
from .prunes import data_pack, indexed_packs
from .workshop import back_up, check, contents, create, fill, forget, names, prune, reopen


@pytest.mark.parametrize("rotten_first", [True, False])
def test_of_a_folder_stored_twice_the_copy_that_is_whole_is_kept(
    folder: Path, rotten_first: bool
) -> None:
    backend = MemoryBackend()
    repository = create(backend)
    fill(folder, "a", "b")
    point = back_up(repository, folder)
    first = {path for path in backend.objects if "index/" in path}
    hidden = {path: backend.objects.pop(path) for path in first}
    back_up(repository, folder)
    whole = contents(repository, point)
    backend.objects.update(hidden)
    files = [
        file
        for file in load_index_files(repository)
        if (f"index/{file.name}" in first) is rotten_first
    ]
    for one in merge_packs(files).values():
        for blob in one.blobs:
            if blob.kind is BlobKind.TREE:
                rotten = bytearray(backend.objects[ObjectKey(FileKind.PACK, one.id).path])
                rotten[blob.offset + 20] ^= 1
                backend.objects[ObjectKey(FileKind.PACK, one.id).path] = bytes(rotten)

    prune(reopen(backend))

    assert contents(reopen(backend), point) == whole


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
