"""Backends before real servers on a bad line: what comes through is right, or an error says why.

The proxy breaks one request after the other of each operation, so that no
step of it is left out: the MOVE after the PUT, the second page of a listing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from backup_agent.storage.addresses import StorageOptions, open_backend
from backup_agent.storage.backend import Backend, FileKind
from tests.contract.samples import bytes_of, key_of
from tests.servers.fault_proxy import Fault, FaultProxy, Injection, Respond, Slow, fault_proxy
from tests.servers.park import ServerPark

_DOORS = ("wsgidav", "rclone-rest", "swift", "swift-s3")
_PASSING: tuple[Injection, ...] = (
    Respond(500),
    Respond(503),
    Respond(429),
    Fault.RESET,
    Fault.CUT_REQUEST,
    Fault.LOST_ANSWER,
    Fault.TRUNCATED,
)
"""What is over at the next try."""
_LISTING = "/data/$|prefix=data"


@dataclass(frozen=True, slots=True)
class Line:
    """A repository with two objects: ``backend`` reaches it by the proxy, ``straight`` without."""

    door: str
    proxy: FaultProxy
    backend: Backend
    straight: Backend

    @property
    def upload(self) -> str:
        """The method that carries an object's bytes."""
        return "POST" if self.door == "rclone-rest" else "PUT"


_OLD = [bytes_of(3000, "first"), bytes_of(4000, "second")]


@pytest.fixture(params=_DOORS)
def line(request: pytest.FixtureRequest, park: ServerPark) -> Iterator[Line]:
    server = park.door(request.param)
    name = f"f{uuid4().hex}"
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(fault_proxy(server.origin))
        straight, backend = (
            stack.enter_context(
                contextlib.closing(open_backend(door.at(name), door.environment, StorageOptions()))
            )
            for door in (server, server.through(proxy.origin))
        )
        straight.prepare()
        for data in _OLD:
            straight.save(key_of(data), data)
        yield Line(request.param, proxy, backend, straight)


def _save(backend: Backend) -> None:
    data = bytes_of(5000, "new")
    backend.save(key_of(data), data)


def _load(backend: Backend) -> None:
    assert backend.load(key_of(_OLD[0])) == _OLD[0]


def _load_part(backend: Backend) -> None:
    assert backend.load(key_of(_OLD[0]), 1000, 1500) == _OLD[0][1000:2500]


def _size(backend: Backend) -> None:
    assert backend.size(key_of(_OLD[1])) == 4000


def _list(backend: Backend) -> None:
    listed = [(info.name, info.size) for info in backend.list(FileKind.PACK)]
    assert sorted(listed) == sorted((key_of(data).name, len(data)) for data in _OLD)


def _remove(backend: Backend) -> None:
    backend.remove(key_of(_OLD[1]))


_OPERATIONS = [_save, _load, _load_part, _size, _list, _remove]


def _restore_order(line: Line) -> None:
    """Bring the repository back to the two objects it had."""
    line.straight.remove(key_of(bytes_of(5000, "new")))
    line.straight.save(key_of(_OLD[1]), _OLD[1])


@pytest.mark.parametrize("operation", _OPERATIONS)
def test_each_request_of_an_operation_may_fail_once(
    line: Line, operation: Callable[[Backend], None]
) -> None:
    operation(line.backend)  # logs in, and shows how many requests there are
    line.proxy.calm()
    _restore_order(line)
    operation(line.backend)
    requests = len(line.proxy.seen)
    assert requests > 0
    for fault in _PASSING:
        for number in range(requests):
            _restore_order(line)
            line.proxy.calm()
            line.proxy.inject(fault, skip=number)
            operation(line.backend)
            assert fault in [seen.injected for seen in line.proxy.seen]
            _assert_done(operation, line.straight)


def _assert_done(operation: Callable[[Backend], None], straight: Backend) -> None:
    expected = {key_of(data): data for data in _OLD}
    if operation is _save:
        new = bytes_of(5000, "new")
        expected[key_of(new)] = new
    if operation is _remove:
        del expected[key_of(_OLD[1])]
    listed = {info.name: info.size for info in straight.list(FileKind.PACK)}
    assert listed == {key.name: len(data) for key, data in expected.items()}
    assert all(straight.load(key) == data for key, data in expected.items())


@pytest.mark.parametrize("fault", _PASSING)
def test_first_contact_survives_a_fault(line: Line, fault: Injection) -> None:
    line.proxy.inject(fault)
    _load(line.backend)


@pytest.mark.parametrize("operation", _OPERATIONS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Respond(503), TransientStorageError),
        (Fault.RESET, TransientStorageError),
        (Respond(401), AccessDeniedError),
        (Respond(403), AccessDeniedError),
        (Respond(507), StorageFullError),
    ],
)
def test_a_lasting_fault_is_the_error_of_its_kind(
    line: Line,
    operation: Callable[[Backend], None],
    fault: Injection,
    error: type[StorageError],
) -> None:
    _size(line.backend)
    line.proxy.inject(fault, times=math.inf)
    with pytest.raises(error) as caught:
        operation(line.backend)
    assert type(caught.value) is error


def test_only_transient_faults_are_tried_again(line: Line) -> None:
    _size(line.backend)
    line.proxy.calm()
    line.proxy.inject(Respond(403), times=math.inf)
    with pytest.raises(AccessDeniedError):
        _load(line.backend)
    assert len(line.proxy.seen) == 1


def test_a_pack_of_usual_size_comes_through_at_the_first_try(line: Line) -> None:
    data = bytes_of(16 << 20, "pack")
    line.backend.save(key_of(data), data)
    assert line.straight.load(key_of(data)) == data
    assert [seen.method for seen in line.proxy.seen].count(line.upload) == 1


def test_an_upload_that_is_always_cut_leaves_no_object(line: Line) -> None:
    data = bytes_of(100_000, "cut")
    line.proxy.inject(Fault.CUT_REQUEST, method=line.upload, times=math.inf)
    with pytest.raises(TransientStorageError):
        line.backend.save(key_of(data), data)
    assert key_of(data).name not in {info.name for info in line.straight.list(FileKind.PACK)}
    with pytest.raises(ObjectNotFoundError):
        line.straight.load(key_of(data))


def test_a_body_that_always_breaks_off_is_never_given_as_whole(line: Line) -> None:
    line.proxy.inject(Fault.TRUNCATED, method="GET", path=key_of(_OLD[0]).name, times=math.inf)
    for offset, length in [(0, None), (100, None), (100, 2000)]:
        with pytest.raises(TransientStorageError):
            line.backend.load(key_of(_OLD[0]), offset, length)


def test_a_part_shorter_than_asked_for_is_asked_for_again(line: Line) -> None:
    # The Content-Length fits the short body: the length asked for is all there is to judge by.
    line.proxy.inject(Fault.SHORTENED, method="GET", path=key_of(_OLD[0]).name)
    _load_part(line.backend)
    assert Fault.SHORTENED in [seen.injected for seen in line.proxy.seen]


def test_half_a_listing_is_never_taken_for_all_of_it(line: Line) -> None:
    _list(line.backend)
    line.proxy.inject(Fault.SHORTENED, path=_LISTING, times=math.inf)
    with pytest.raises(TransientStorageError):
        list(line.backend.list(FileKind.PACK))


def test_after_half_a_listing_the_next_try_gives_all_of_it(line: Line) -> None:
    line.proxy.inject(Fault.SHORTENED, path=_LISTING)
    _list(line.backend)
    assert Fault.SHORTENED in [seen.injected for seen in line.proxy.seen]


def test_a_corrupt_byte_in_an_object_is_for_its_hash_to_find(line: Line) -> None:
    # The backend cannot know: the repository compares what it reads with the name.
    line.proxy.inject(Fault.CORRUPT_ANSWER, method="GET", path=key_of(_OLD[0]).name)
    loaded = line.backend.load(key_of(_OLD[0]))
    assert len(loaded) == len(_OLD[0])
    assert key_of(loaded) != key_of(_OLD[0])


@pytest.mark.parametrize("line", ["swift", "swift-s3"], indirect=True)
def test_an_upload_corrupted_on_its_way_is_sent_again(line: Line) -> None:
    data = bytes_of(5000, "corrupted")
    line.proxy.inject(Fault.CORRUPT_REQUEST, method="PUT")
    line.backend.save(key_of(data), data)
    assert Fault.CORRUPT_REQUEST in [seen.injected for seen in line.proxy.seen]
    assert line.straight.load(key_of(data)) == data


_UNPROVEN = pytest.mark.parametrize("line", ["wsgidav", "rclone-rest"], indirect=True)


@_UNPROVEN
@pytest.mark.parametrize("kind", [FileKind.KEY, FileKind.SNAPSHOT, FileKind.INDEX])
def test_a_small_file_stored_wrongly_is_sent_again(line: Line, kind: FileKind) -> None:
    data = bytes_of(5000, "corrupted")
    line.proxy.inject(Fault.CORRUPT_REQUEST, method=line.upload)
    line.backend.save(key_of(data, kind), data)
    assert Fault.CORRUPT_REQUEST in [seen.injected for seen in line.proxy.seen]
    assert line.straight.load(key_of(data, kind)) == data


@_UNPROVEN
def test_a_pack_of_trees_stored_wrongly_is_sent_again(line: Line) -> None:
    data = bytes_of(5000, "corrupted")
    line.proxy.inject(Fault.CORRUPT_REQUEST, method=line.upload)
    line.backend.save(replace(key_of(data), is_tree=True), data)
    assert line.straight.load(key_of(data)) == data


@_UNPROVEN
def test_a_pack_of_contents_stored_wrongly_is_sent_again_on_request(
    line: Line, park: ServerPark
) -> None:
    server = park.door(line.door).through(line.proxy.origin)
    data = bytes_of(5000, "corrupted")
    options = StorageOptions(read_back=True)
    address = line.backend.location
    with contextlib.closing(open_backend(address, server.environment, options)) as careful:
        line.proxy.inject(Fault.CORRUPT_REQUEST, method=line.upload)
        careful.save(key_of(data), data)
    assert line.straight.load(key_of(data)) == data


@_UNPROVEN
def test_a_file_that_is_always_stored_wrongly_is_an_error_and_does_not_stay(line: Line) -> None:
    data = bytes_of(5000, "corrupted")
    line.proxy.inject(Fault.CORRUPT_REQUEST, method=line.upload, times=math.inf)
    with pytest.raises(TransientStorageError, match="not what was sent"):
        line.backend.save(key_of(data, FileKind.INDEX), data)
    assert list(line.straight.list(FileKind.INDEX)) == []


def test_others_go_on_while_one_answer_hangs(line: Line) -> None:
    _size(line.backend)
    line.proxy.inject(Fault.HANG, method="GET", path=key_of(_OLD[0]).name)
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(line.backend.load, key_of(_OLD[0]))
        try:
            assert line.backend.load(key_of(_OLD[1])) == _OLD[1]
            assert not hanging.done()
        finally:
            line.proxy.release()
        assert hanging.result() == _OLD[0]


def test_a_slow_answer_is_waited_for(line: Line) -> None:
    line.proxy.inject(Slow(bytes_per_second=20_000), method="GET", path=key_of(_OLD[0]).name)
    _load(line.backend)
