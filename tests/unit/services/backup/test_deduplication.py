"""The same content is stored once, and again where it was lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backup_agent.format.pack import BlobKind
from backup_agent.model.events import Event, Notice
from backup_agent.repository.repository import Repository
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.memory import MemoryBackend
from tests.points import (
    back_up,
    below,
    holdings,
    new_repository,
    reopen,
    way_to,
)
from tests.unit.services.backup.watched_tree import (
    OwnTree,
)


def test_the_same_content_is_stored_once(repository: Repository, tmp_path: Path) -> None:
    content = random.Random(5).randbytes(3_000_000)
    for name in ("one", "two", "three"):
        (tmp_path / name).write_bytes(content)
    result = back_up(repository, tmp_path)

    assert result.summary.total_bytes_processed == 3 * len(content)
    assert len(content) <= result.summary.data_added < len(content) + 20_000


def test_an_insertion_stores_only_what_is_near_it(repository: Repository, tmp_path: Path) -> None:
    content = random.Random(6).randbytes(30_000_000)
    (tmp_path / "file").write_bytes(content)
    back_up(repository, tmp_path)
    (tmp_path / "file").write_bytes(content[:15_000_000] + b"inserted" + content[15_000_000:])
    result = back_up(repository, tmp_path)

    assert 0 < result.summary.data_added < 3 * (4 << 20)


@pytest.mark.parametrize("kind", list(BlobKind))
@pytest.mark.parametrize("cut_short", [False, True])
def test_what_lay_in_a_lost_pack_is_saved_again(
    source: Path, kind: BlobKind, cut_short: bool
) -> None:
    backend = MemoryBackend()
    repository = new_repository(backend)
    first = back_up(repository, OwnTree(source))
    whole = holdings(repository, first.snapshot)
    fresh = reopen(backend)
    fresh.load_index()
    lost = {place.pack for place in fresh.index if place.blob.kind is kind}
    for pack in lost:
        path = ObjectKey(FileKind.PACK, pack).path
        if cut_short:
            backend.objects[path] = backend.objects[path][:30]
        else:
            del backend.objects[path]
    events: list[Event] = []

    again = back_up(repository, OwnTree(source), emit=events.append)

    assert below(holdings(repository, again.snapshot), source) == below(whole, source)
    told = f"{len(lost)} packs are missing or cut short: their data is saved again."
    assert Notice(told) in events
    events.clear()
    third = back_up(repository, OwnTree(source), emit=events.append)
    assert third.summary.data_blobs == 0
    assert Notice(told) not in events


def test_a_folder_that_proved_damaged_is_saved_again(repository: Repository, source: Path) -> None:
    backend = repository.backend
    assert isinstance(backend, MemoryBackend)
    first = back_up(repository, OwnTree(source))
    whole = holdings(repository, first.snapshot)
    fresh = reopen(backend)
    fresh.load_index()
    inner = fresh.index.find(BlobKind.TREE, way_to(repository, first.snapshot, source)[-1])
    assert inner is not None
    path = ObjectKey(FileKind.PACK, inner.pack).path
    rotten = bytearray(backend.objects[path])
    rotten[inner.blob.offset + 20] ^= 1
    backend.objects[path] = bytes(rotten)

    again = back_up(repository, OwnTree(source))

    assert again.snapshot.tree == first.snapshot.tree
    assert again.summary.tree_blobs == 1
    assert below(holdings(repository, again.snapshot), source) == below(whole, source)
    third = back_up(repository, OwnTree(source))
    assert third.summary.tree_blobs == 0
