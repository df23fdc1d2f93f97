"""The writer: each blob once, packs before their index, nothing left running."""

from __future__ import annotations

import hashlib
import random
import threading

import pytest

from backup_agent.errors import StorageError
from backup_agent.format.pack import BlobKind
from backup_agent.model.ids import BlobId
from backup_agent.repository import packer
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.repository.slab import SLAB_SIZE
from backup_agent.repository.writer import BlobWriter
from backup_agent.storage.backend import Data, FileKind, ObjectKey
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.memory import MemoryBackend
from tests.points import new_repository, reopen


def save(writer: BlobWriter, content: bytes) -> BlobId:
    slab = writer.reserve(max(1, len(content)))
    start = slab.used
    slab.view[start : start + len(content)] = content
    return writer.add(slab, start, start + len(content))


def engine_threads() -> list[str]:
    names = ("seal", "upload", "read", "lock")
    return [t.name for t in threading.enumerate() if t.name.startswith(names)]


def noise(count: int, size: int) -> list[bytes]:
    return [random.Random(n).randbytes(size) for n in range(count)]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("sealers", [1, 2, 5])
def test_what_is_written_can_be_read(version: int, sealers: int) -> None:
    repository = new_repository(version=version)
    contents = [b"", b"x", bytes(500_000), *noise(30, 100_000), *noise(3, 4 << 20)]
    trees = [b'{"nodes":[]}\n', b"t" * 1000]
    with BlobWriter(repository, sealers=sealers) as writer:
        blobs = [save(writer, content) for content in contents]
        tree_blobs = [writer.save_tree(tree) for tree in trees]
        writer.finish()

    fresh = reopen(repository.backend)
    fresh.load_index()
    assert len(fresh.index) == len(set(contents)) + len(trees)
    with BlobReader(fresh) as reader:
        assert list(reader.stream(blobs)) == contents
        assert [reader.load_tree_bytes(blob) for blob in tree_blobs] == trees


def test_the_same_blob_is_kept_once_however_often_it_comes() -> None:
    repository = new_repository()
    contents = noise(40, 50_000)
    with BlobWriter(repository, sealers=2) as writer:
        for _ in range(3):
            for content in contents:
                save(writer, content)
        writer.finish()
        totals = writer.totals

    assert (totals.data_blobs, totals.raw_bytes) == (40, 40 * 50_000)
    with BlobWriter(repository, sealers=2) as again:
        blobs = [save(again, content) for content in contents]
        again.finish()
    assert again.totals.data_blobs == 0
    assert blobs == [hashlib.sha256(content).digest() for content in contents]
    fresh = reopen(repository.backend)
    packs = [blob.id for _, found in fresh.load_indexes() for p in found for blob in p.blobs]
    assert len(packs) == 40


def test_a_tree_larger_than_a_slab_travels_all_the_same() -> None:
    repository = new_repository()
    tree = random.Random(1).randbytes(SLAB_SIZE + 1)
    with BlobWriter(repository, sealers=2) as writer:
        blob = writer.save_tree(tree)
        small = writer.save_tree(b"small")
        writer.finish()

    fresh = reopen(repository.backend)
    fresh.load_index()
    with BlobReader(fresh) as reader:
        assert reader.load_tree_bytes(blob) == tree
        assert reader.load_tree_bytes(small) == b"small"


def test_a_data_blob_and_a_tree_of_the_same_bytes_are_two() -> None:
    repository = new_repository()
    with BlobWriter(repository) as writer:
        assert save(writer, b"same") == writer.save_tree(b"same")
        writer.finish()

    assert repository.index.has(BlobKind.DATA, BlobId(hashlib.sha256(b"same").digest()))
    assert repository.index.has(BlobKind.TREE, BlobId(hashlib.sha256(b"same").digest()))


class OrderKeeper(MemoryBackend):
    """Checks at every index that the packs it speaks of are there already."""

    repository: Repository

    def save(self, key: ObjectKey, data: Data) -> None:
        super().save(key, data)
        if key.kind is FileKind.INDEX:
            for _, packs in reopen(self).load_indexes():
                for pack in packs:
                    self.size(ObjectKey(FileKind.PACK, pack.id))


def test_every_index_comes_after_its_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backup_agent.repository.writer.INDEX_BLOBS", 10)
    backend = OrderKeeper()
    repository = new_repository(backend)
    with BlobWriter(repository, sealers=2) as writer:
        for content in noise(60, 1 << 20):
            save(writer, content)
        writer.finish()

    assert len(list(backend.list(FileKind.INDEX))) > 1
    fresh = reopen(backend)
    fresh.load_index()
    assert len(fresh.index) == 60


def test_memory_is_a_fixed_number_of_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[packer.OpenPack] = []
    largest = [0]

    class Counted(packer.OpenPack):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

        def clear(self) -> None:
            largest[0] = max(largest[0], len(self._buffer))
            super().clear()

    monkeypatch.setattr("backup_agent.repository.writer.OpenPack", Counted)
    repository = new_repository()
    with BlobWriter(repository, sealers=2) as writer:
        for content in noise(40, 4 << 20):
            save(writer, content)
        writer.finish()

    assert len(made) <= 6
    assert largest[0] <= packer.PACK_SIZE + (4 << 20) + (1 << 16)


@pytest.mark.parametrize("ends", ["finished", "left", "failed", "storage failed"])
def test_no_thread_outlives_the_writer(ends: str) -> None:
    backend = MemoryBackend()
    made = new_repository(backend)
    faulty = FaultyBackend(backend, fail_at=1 if ends == "storage failed" else 0)
    repository = Repository(faulty, made.config, made.master, made.key_name)

    def work() -> None:
        with BlobWriter(repository, sealers=3) as writer:
            for content in noise(20, 2 << 20):
                save(writer, content)
            if ends == "failed":
                raise ZeroDivisionError
            if ends != "left":
                writer.finish()

    match ends:
        case "failed":
            with pytest.raises(ZeroDivisionError):
                work()
        case "storage failed":
            with pytest.raises(StorageError):
                work()
        case _:
            work()
    assert engine_threads() == []


def test_incompressible_blobs_are_kept_as_they_are() -> None:
    repository = new_repository()
    with BlobWriter(repository) as writer:
        noisy, plain = save(writer, noise(1, 200_000)[0]), save(writer, bytes(200_000))
        writer.finish()

    places = {place.blob.id: place.blob for place in repository.index}
    assert places[noisy].raw_length == 0
    assert places[plain].raw_length == 200_000
    assert places[plain].length < 1000
