"""The promises of ``backup_agent.storage.backend``, kept by every backend on every real server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    TransientStorageError,
)
from backup_agent.model.cancel import CancelToken
from backup_agent.storage import swift
from backup_agent.storage.addresses import StorageOptions, open_backend
from backup_agent.storage.backend import CONFIG, Backend, FileKind, ObjectInfo, ObjectKey
from backup_agent.storage.cache import CachingBackend
from backup_agent.storage.faulty import FaultyBackend
from backup_agent.storage.memory import MemoryBackend
from backup_agent.storage.throttle import Throttle, ThrottledBackend
from tests.contract.samples import NAMED_KINDS, bytes_of, key_of
from tests.servers.park import DOORS, ServerPark
from tests.servers.running import RunningServer

_IN_PROCESS = ("memory", "cached", "throttled", "faulty")
_PREPARED = ("local", *DOORS)
"""Places that do not exist before ``prepare``."""
_TELLS_MISSING = tuple(name for name in _PREPARED if not name.startswith("rclone-rest"))
"""All but rclone's REST server, to which a missing folder is an empty one."""
_TLS_DOORS = tuple(name for name in DOORS if name.endswith("-tls") or name == "ceph-s3")


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere empty; each ``open`` is a client of its own."""

    open: Callable[[], Backend]


@pytest.fixture(params=[*_IN_PROCESS, *_PREPARED])
def place(request: pytest.FixtureRequest, tmp_path: Path, park: ServerPark) -> Place:
    match request.param:
        case "local":
            return Place(lambda: open_backend(str(tmp_path / "repository"), {}))
        case name if name in _IN_PROCESS:
            backend = _in_process(name, tmp_path)
            return Place(lambda: backend)
        case name:
            return _place_at(park.door(name))


@pytest.fixture
def backend(place: Place) -> Iterator[Backend]:
    """A client of a place that is ready for a repository."""
    with contextlib.closing(place.open()) as opened:
        opened.prepare()
        yield opened


def _in_process(name: str, tmp_path: Path) -> Backend:
    memory = MemoryBackend()
    match name:
        case "cached":
            return CachingBackend(memory, tmp_path / "cache")
        case "throttled":
            # No pause comes near a clock's resolution at this rate.
            free = Throttle(1 << 50, wait=CancelToken().wait)
            return ThrottledBackend(memory, upload=free, download=free)
        case "faulty":
            return FaultyBackend(memory)
        case _:
            return memory


def _place_at(server: RunningServer, path: str = "") -> Place:
    address = server.at(f"t{uuid4().hex}") + path
    options = StorageOptions(cacert=server.cacert)
    return Place(lambda: open_backend(address, server.environment, options))


def _names(backend: Backend, kind: FileKind) -> set[str]:
    listed = [info.name for info in backend.list(kind)]
    assert len(listed) == len(set(listed))
    return set(listed)


def test_preparing_twice_keeps_what_is_stored(backend: Backend) -> None:
    data = bytes_of(100)
    backend.save(key_of(data), data)
    backend.prepare()
    assert backend.load(key_of(data)) == data


def test_each_kind_is_empty_at_first(backend: Backend) -> None:
    assert [list(backend.list(kind)) for kind in FileKind] == [[]] * len(FileKind)


def test_saved_objects_are_loaded_measured_and_listed_by_kind(backend: Backend) -> None:
    samples = {kind: bytes_of(1000 + len(kind.value), kind.value) for kind in NAMED_KINDS}
    for kind, data in samples.items():
        backend.save(key_of(data, kind), data)
    for kind, data in samples.items():
        key = key_of(data, kind)
        assert backend.load(key) == data
        assert backend.size(key) == len(data)
        assert list(backend.list(kind)) == [ObjectInfo(key.name, len(data))]


def test_config_is_stored_under_no_name_and_never_listed(backend: Backend) -> None:
    backend.save(CONFIG, b"the config")
    assert backend.load(CONFIG) == b"the config"
    assert list(backend.list(FileKind.CONFIG)) == []


def test_what_one_client_saved_another_one_sees(backend: Backend, place: Place) -> None:
    data = bytes_of(100)
    backend.save(key_of(data), data)
    with contextlib.closing(place.open()) as other:
        assert other.load(key_of(data)) == data
        assert _names(other, FileKind.PACK) == {key_of(data).name}


def test_sweeping_takes_no_object(backend: Backend) -> None:
    backend.save(CONFIG, b"the config")
    for kind in NAMED_KINDS:
        backend.save(key_of(bytes_of(100), kind), bytes_of(100))
    assert backend.sweep() == 0
    assert backend.load(CONFIG) == b"the config"
    for kind in NAMED_KINDS:
        assert backend.load(key_of(bytes_of(100), kind)) == bytes_of(100)


def test_only_swift_lists_late(backend: Backend) -> None:
    assert backend.listing_may_lag == backend.location.startswith("swift:")


def test_save_takes_any_kind_of_bytes(backend: Backend) -> None:
    data = bytes_of(5000)
    for given in (data, bytearray(data), memoryview(b"ab" + data)[2:]):
        backend.save(key_of(data), given)
        assert backend.load(key_of(data)) == data
        backend.remove(key_of(data))


def test_empty_object_is_an_object(backend: Backend) -> None:
    backend.save(key_of(b""), b"")
    assert backend.load(key_of(b"")) == b""
    assert backend.size(key_of(b"")) == 0
    assert [info.size for info in backend.list(FileKind.PACK)] == [0]


def test_load_gives_the_part_asked_for(backend: Backend) -> None:
    data = bytes_of(1000)
    backend.save(key_of(data), data)
    for offset, length in [(0, 1), (0, 1000), (100, 50), (990, 10), (999, 1)]:
        assert backend.load(key_of(data), offset, length) == data[offset : offset + length]
    for offset in (1, 100, 999):
        assert backend.load(key_of(data), offset) == data[offset:]


def test_a_part_of_no_length_is_empty(backend: Backend) -> None:
    data = bytes_of(1000)
    backend.save(key_of(data), data)
    for offset, length in [(0, 0), (500, 0), (1000, 0), (1000, None)]:
        assert backend.load(key_of(data), offset, length) == b""


def test_a_part_that_reaches_beyond_the_end_is_refused(backend: Backend) -> None:
    data = bytes_of(1000)
    backend.save(key_of(data), data)
    for offset, length in [(990, 11), (1000, 1), (2000, 5)]:
        with pytest.raises(StorageError):
            backend.load(key_of(data), offset, length)


def test_loading_a_missing_object_says_so(backend: Backend) -> None:
    for offset, length in [(0, None), (0, 0), (10, 10), (10, None)]:
        with pytest.raises(ObjectNotFoundError):
            backend.load(key_of(b"never saved"), offset, length)


def test_measuring_a_missing_object_says_so(backend: Backend) -> None:
    for key in (CONFIG, key_of(b"never saved"), key_of(b"", FileKind.KEY)):
        with pytest.raises(ObjectNotFoundError):
            backend.size(key)


def test_saving_the_same_object_again_changes_nothing(backend: Backend) -> None:
    data = bytes_of(1000)
    for _ in range(2):
        backend.save(key_of(data), data)
        assert backend.load(key_of(data)) == data
        assert _names(backend, FileKind.PACK) == {key_of(data).name}


def test_saving_again_makes_whole_what_was_not(backend: Backend) -> None:
    data = bytes_of(1000)
    backend.save(key_of(data), data[:500])
    backend.save(key_of(data), data)
    assert backend.load(key_of(data)) == data


def test_removed_object_is_gone_and_removing_it_again_is_no_error(backend: Backend) -> None:
    kept, removed = bytes_of(10, "kept"), bytes_of(10, "removed")
    for data in (kept, removed):
        backend.save(key_of(data), data)
    for _ in range(2):
        backend.remove(key_of(removed))
        with pytest.raises(ObjectNotFoundError):
            backend.load(key_of(removed))
        with pytest.raises(ObjectNotFoundError):
            backend.size(key_of(removed))
        assert _names(backend, FileKind.PACK) == {key_of(kept).name}


def test_names_that_are_no_hashes_are_left_out_of_listings(backend: Backend) -> None:
    data = bytes_of(10)
    backend.save(key_of(data, FileKind.KEY), data)
    for foreign in ("notes.txt", key_of(data).name.upper(), key_of(data).name + "-tmp-0123"):
        backend.save(ObjectKey(FileKind.KEY, foreign), b"not ours")
    assert _names(backend, FileKind.KEY) == {key_of(data).name}


def test_listing_of_several_pages_is_complete(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swift, "_PAGE", 7)
    objects = {key_of(data).name: data for data in (bytes_of(10 + i, str(i)) for i in range(30))}
    for data in objects.values():
        backend.save(key_of(data), data)
    listed = {info.name: info.size for info in backend.list(FileKind.PACK)}
    assert listed == {name: len(data) for name, data in objects.items()}


@pytest.mark.parametrize("door", ["ceph-s3"])
def test_listing_of_more_objects_than_s3_gives_at_once_is_complete(
    park: ServerPark, door: str
) -> None:
    samples = [bytes_of(8, str(i)) for i in range(1001)]
    with (
        contextlib.closing(_place_at(park.door(door)).open()) as backend,
        ThreadPoolExecutor(8) as threads,
    ):
        backend.prepare()
        list(threads.map(lambda data: backend.save(key_of(data, FileKind.INDEX), data), samples))
        assert _names(backend, FileKind.INDEX) == {key_of(data).name for data in samples}


def test_large_object_comes_back_whole_and_in_part(backend: Backend) -> None:
    size = 20 * 1024 * 1024
    data = bytes_of(size)
    backend.save(key_of(data), data)
    assert backend.load(key_of(data)) == data
    assert backend.load(key_of(data), size - 70_000, 70_000) == data[-70_000:]
    assert backend.size(key_of(data)) == size


def test_eight_threads_at_once_do_not_disturb_each_other(backend: Backend) -> None:
    def story(number: int) -> bool:
        kept, removed = (bytes_of(70_000 + number, f"{number} {name}") for name in "ab")
        for data in (kept, removed):
            backend.save(key_of(data), data)
        whole = backend.load(key_of(kept)) == kept
        part = backend.load(key_of(removed), 1000, 2000) == removed[1000:3000]
        backend.remove(key_of(removed))
        listed = key_of(kept).name in _names(backend, FileKind.PACK)
        return whole and part and listed and backend.size(key_of(kept)) == len(kept)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(story, range(24)))
    assert len(_names(backend, FileKind.PACK)) == 24


@pytest.mark.parametrize("place", _PREPARED, indirect=True)
def test_a_place_that_was_not_prepared_has_no_config(place: Place) -> None:
    with contextlib.closing(place.open()) as backend, pytest.raises(ObjectNotFoundError):
        backend.load(CONFIG)


@pytest.mark.parametrize("place", _TELLS_MISSING, indirect=True)
def test_a_place_that_was_not_prepared_is_not_listed_as_empty(place: Place) -> None:
    with contextlib.closing(place.open()) as backend:
        for kind in NAMED_KINDS:
            with pytest.raises(StorageError):
                list(backend.list(kind))


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_password_is_access_denied(park: ServerPark, door: str) -> None:
    server = park.door(door)
    # The place exists: a missing one must not hide the refusal.
    address = server.at(f"t{uuid4().hex}")
    options = StorageOptions(cacert=server.cacert)
    with contextlib.closing(open_backend(address, server.environment, options)) as known:
        known.prepare()
        known.save(CONFIG, b"the config")
    stranger = open_backend(address, server.with_wrong_secret().environment, options)
    with contextlib.closing(stranger):
        with pytest.raises(AccessDeniedError):
            stranger.load(CONFIG)
        with pytest.raises(AccessDeniedError):
            list(stranger.list(FileKind.PACK))
        with pytest.raises(AccessDeniedError):
            stranger.save(key_of(b"data"), b"data")
        with pytest.raises(AccessDeniedError):
            stranger.remove(CONFIG)


@pytest.mark.parametrize("door", _TLS_DOORS)
def test_a_certificate_by_an_unknown_authority_is_refused(park: ServerPark, door: str) -> None:
    server = park.door(door)
    with contextlib.closing(open_backend(server.address, server.environment)) as backend:
        with pytest.raises(StorageError, match="not trusted") as caught:
            backend.load(CONFIG)
        assert not isinstance(caught.value, TransientStorageError)
        assert "--cacert" in caught.value.hint


@pytest.mark.parametrize("door", ["swift", "swift-s3", "ceph-s3", "ceph-swift"])
def test_repositories_in_one_container_are_apart(park: ServerPark, door: str) -> None:
    server = park.door(door)
    name = f"t{uuid4().hex}"
    slash = "" if server.at(name).endswith("/") else "/"
    options = StorageOptions(cacert=server.cacert)
    data = bytes_of(10)
    with contextlib.ExitStack() as stack:
        office, office2, root = (
            stack.enter_context(
                contextlib.closing(
                    open_backend(server.at(name) + path, server.environment, options)
                )
            )
            for path in (f"{slash}backups/office", f"{slash}backups/office2", "")
        )
        office.prepare()
        office.save(key_of(data), data)
        for other in (office2, root):
            assert list(other.list(FileKind.PACK)) == []
            with pytest.raises(ObjectNotFoundError):
                other.load(key_of(data))
        assert office.load(key_of(data)) == data
