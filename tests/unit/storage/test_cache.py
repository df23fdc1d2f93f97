from __future__ import annotations

import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_agent.errors import ObjectNotFoundError, TransientStorageError
from backup_agent.storage.backend import CONFIG, FileKind, ObjectInfo, ObjectKey
from backup_agent.storage.cache import CachingBackend, kept_names
from backup_agent.storage.memory import MemoryBackend
from tests.unit.storage.objects import key_of

DATA = bytes(range(256)) * 40
INDEX = key_of(DATA, FileKind.INDEX)
SNAPSHOT = key_of(DATA, FileKind.SNAPSHOT)
TREES = key_of(DATA, is_tree=True)
KEPT = pytest.mark.parametrize("key", [INDEX, SNAPSHOT, TREES], ids=lambda key: key.kind.name)


class CountingBackend(MemoryBackend):
    """Notes every read as path, offset and length."""

    def __init__(self, *keys: ObjectKey) -> None:
        super().__init__()
        self.loads: list[tuple[str, int, int | None]] = []
        for key in keys:
            self.save(key, DATA)

    def load(self, key: ObjectKey, offset: int = 0, length: int | None = None) -> bytes:
        self.loads.append((key.path, offset, length))
        return super().load(key, offset, length)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "everboot" / "0123abcd"


def change_file(folder: Path, key: ObjectKey, change: Callable[[bytes], bytes]) -> None:
    path = folder / key.path
    path.write_bytes(change(path.read_bytes()))


@KEPT
def test_what_was_read_once_is_read_from_the_disk(folder: Path, key: ObjectKey) -> None:
    inner = CountingBackend(key)
    backend = CachingBackend(inner, folder)
    assert backend.load(key) == DATA
    assert backend.load(key, 100, 50) == DATA[100:150]
    assert backend.load(key, 9000) == DATA[9000:]
    assert CachingBackend(inner, folder).load(key) == DATA
    assert inner.loads == [(key.path, 0, None)]


def test_the_first_range_read_of_a_tree_pack_fetches_the_whole_pack(folder: Path) -> None:
    inner = CountingBackend(TREES)
    backend = CachingBackend(inner, folder)
    assert backend.load(TREES, 100, 50) == DATA[100:150]
    assert backend.load(TREES, 7, 3) == DATA[7:10]
    assert inner.loads == [(TREES.path, 0, None)]


@pytest.mark.parametrize(
    "key", [CONFIG, key_of(DATA), key_of(DATA, FileKind.KEY), key_of(DATA, FileKind.LOCK)]
)
def test_other_objects_are_not_kept(folder: Path, key: ObjectKey) -> None:
    inner = CountingBackend(key)
    backend = CachingBackend(inner, folder)
    backend.save(key, DATA)
    assert backend.load(key, 3, 4) == DATA[3:7]
    assert backend.load(key, 3, 4) == DATA[3:7]
    assert inner.loads == [(key.path, 3, 4)] * 2
    assert not (folder / key.path).exists()


@KEPT
def test_what_is_saved_is_kept_too(folder: Path, key: ObjectKey) -> None:
    inner = CountingBackend()
    backend = CachingBackend(inner, folder)
    backend.save(key, memoryview(DATA))
    assert backend.load(key) == DATA
    assert inner.loads == []
    assert inner.objects[key.path] == DATA


def test_what_could_not_be_saved_is_not_kept(folder: Path) -> None:
    class Full(MemoryBackend):
        def save(self, key: ObjectKey, data: object) -> None:
            raise TransientStorageError("no")

    backend = CachingBackend(Full(), folder)
    with pytest.raises(TransientStorageError):
        backend.save(INDEX, DATA)
    with pytest.raises(ObjectNotFoundError):
        backend.load(INDEX)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
        lambda data: data + b"more",
    ],
    ids=["truncated", "empty", "flipped", "longer"],
)
@pytest.mark.parametrize("same_run", [True, False])
def test_a_damaged_file_is_dropped_and_fetched_again(
    folder: Path, damage: Callable[[bytes], bytes], same_run: bool
) -> None:
    inner = CountingBackend(TREES)
    backend = CachingBackend(inner, folder)
    backend.load(TREES)
    change_file(folder, TREES, damage)
    if not same_run:
        backend = CachingBackend(inner, folder)
    assert backend.load(TREES, 490, 20) == DATA[490:510]
    assert len(inner.loads) == 2
    assert (folder / TREES.path).read_bytes() == DATA


def test_what_arrives_damaged_is_handed_on_and_not_kept(folder: Path) -> None:
    inner = CountingBackend()
    inner.objects[INDEX.path] = b"rotten"
    backend = CachingBackend(inner, folder)
    assert backend.load(INDEX) == b"rotten"
    inner.objects[INDEX.path] = DATA
    assert backend.load(INDEX) == DATA


def test_the_cache_may_be_deleted_while_it_is_used(folder: Path) -> None:
    inner = CountingBackend(INDEX, TREES)
    backend = CachingBackend(inner, folder)
    backend.load(INDEX)
    shutil.rmtree(folder)
    assert backend.load(INDEX) == DATA
    shutil.rmtree(folder)
    assert backend.load(TREES, 5, 5) == DATA[5:10]
    shutil.rmtree(folder)
    backend.remove(INDEX)
    assert [info.name for info in backend.list(FileKind.PACK)] == [TREES.name]


@KEPT
def test_a_removed_object_is_forgotten(folder: Path, key: ObjectKey) -> None:
    backend = CachingBackend(CountingBackend(key), folder)
    backend.load(key)
    backend.remove(ObjectKey(key.kind, key.name))  # prune does not know what a pack holds
    assert not (folder / key.path).exists()
    with pytest.raises(ObjectNotFoundError):
        backend.load(key)


def test_a_pack_that_vanished_from_the_listing_is_forgotten(folder: Path) -> None:
    inner = CountingBackend(TREES)
    backend = CachingBackend(inner, folder)
    backend.load(TREES)
    inner.remove(TREES)
    assert list(backend.list(FileKind.PACK)) == []
    assert not (folder / TREES.path).exists()


@pytest.mark.parametrize("key", [INDEX, SNAPSHOT], ids=lambda key: key.kind.name)
def test_the_name_of_what_a_listing_left_out_is_kept_until_it_was_asked_for(
    folder: Path, key: ObjectKey
) -> None:
    inner = CountingBackend(key)
    backend = CachingBackend(inner, folder)
    backend.load(key)
    inner.remove(key)
    assert list(backend.list(key.kind)) == []
    assert kept_names(folder, key.kind) == {key.name}
    with pytest.raises(ObjectNotFoundError):
        backend.size(key)
    assert kept_names(folder, key.kind) == set()


def test_a_listing_is_the_inner_one_whatever_is_kept(folder: Path) -> None:
    inner = CountingBackend(INDEX)
    backend = CachingBackend(inner, folder)
    backend.load(INDEX)
    other = key_of(b"other", FileKind.INDEX)
    inner.save(other, b"other")
    assert {info.name for info in backend.list(FileKind.INDEX)} == {INDEX.name, other.name}
    assert (folder / INDEX.path).exists()


def test_a_listing_that_breaks_off_makes_nothing_forgotten(folder: Path) -> None:
    class BreakingOff(CountingBackend):
        def list(self, kind: FileKind) -> Iterator[ObjectInfo]:
            yield from ()
            raise TransientStorageError("broken off")

    backend = CachingBackend(BreakingOff(INDEX), folder)
    backend.load(INDEX)
    with pytest.raises(TransientStorageError):
        list(backend.list(FileKind.INDEX))
    assert (folder / INDEX.path).exists()


def test_a_range_past_the_end_is_a_short_body(folder: Path) -> None:
    backend = CachingBackend(CountingBackend(INDEX), folder)
    for _ in range(2):
        with pytest.raises(TransientStorageError):
            backend.load(INDEX, len(DATA) - 5, 6)


def test_the_folder_is_private_and_tagged(folder: Path) -> None:
    CachingBackend(MemoryBackend(), folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    tag = (folder / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_a_cache_that_cannot_be_created_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    inner = CountingBackend(INDEX, TREES)
    backend = CachingBackend(inner, tmp_path / "file" / "cache")
    assert backend.load(INDEX) == DATA
    backend.save(INDEX, DATA)
    backend.remove(INDEX)
    assert list(backend.list(FileKind.INDEX)) == []


def test_a_full_disk_is_no_error_and_packs_are_not_fetched_whole_in_vain(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = CountingBackend(INDEX, TREES)
    backend = CachingBackend(inner, folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backup_agent.storage.cache.os.replace", full)
    assert backend.load(INDEX) == DATA
    assert backend.load(TREES, 10, 5) == DATA[10:15]
    assert inner.loads[-1] == (TREES.path, 10, 5)
    assert [path for path in folder.rglob("*") if "tmp" in path.name] == []


def test_threads_that_want_the_same_pack_fetch_it_once(folder: Path) -> None:
    inner = CountingBackend(TREES)
    backend = CachingBackend(inner, folder)
    start, answers = threading.Barrier(8), []

    def read() -> None:
        start.wait()
        answers.append(backend.load(TREES, 1, 2))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [DATA[1:3]] * 8
    assert len(inner.loads) == 1
