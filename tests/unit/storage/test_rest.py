"""The corners of restic's protocol that the real servers in the contract suite do not show."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from backup_agent.errors import (
    AccessDeniedError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from backup_agent.storage.backend import CONFIG, FileKind, ObjectInfo
from backup_agent.storage.rest import RestBackend
from tests.unit.storage.network import SECRET, backend_at
from tests.unit.storage.objects import key_of
from tests.unit.storage.web_server import Answer, Request, web_server

DATA = b"content of a pack"
PACK = key_of(DATA)
V2 = {"Content-Type": "application/vnd.x.restic.rest.v2"}


class OldServer:
    """Keeps objects, lists bare names as version 1 does, and overwrites nothing."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def __call__(self, request: Request) -> Answer:
        path = request.path
        match request.method:
            case "GET" if path.endswith("/"):
                names = [p.rpartition("/")[2] for p in self.objects if p.startswith(path)]
                return Answer(200, json.dumps([*names, "stranger"]).encode())
            case "GET" | "HEAD" if path in self.objects:
                return Answer(200, self.objects[path])
            case "POST" if path not in self.objects:
                self.objects[path] = request.body
                return Answer(200)
            case "POST":
                return Answer(403)
            case _:
                return Answer(404)


def with_backend(
    script: Callable[[Request], Answer], work: Callable[[RestBackend], object]
) -> object:
    with web_server(script) as host:
        backend = backend_at("rest", f"http://{host}")
        assert isinstance(backend, RestBackend)
        try:
            return work(backend)
        finally:
            backend.close()


def test_objects_lie_in_the_flat_scheme_of_the_protocol() -> None:
    server = OldServer({})

    def work(backend: RestBackend) -> None:
        backend.save(PACK, DATA)
        backend.save(CONFIG, b"config")
        backend.save(key_of(DATA, FileKind.INDEX), DATA)

    with_backend(server, work)
    assert set(server.objects) == {f"/data/{PACK.name}", "/config", f"/index/{PACK.name}"}


def test_a_version_1_listing_is_measured_object_by_object() -> None:
    server = OldServer({f"/data/{PACK.name}": DATA})
    listed = with_backend(server, lambda backend: list(backend.list(FileKind.PACK)))
    assert listed == [ObjectInfo(PACK.name, len(DATA))]


def test_a_version_2_listing_is_asked_for_and_read() -> None:
    asked = []

    def script(request: Request) -> Answer:
        asked.append(request.headers["Accept"])
        entries = [{"name": PACK.name, "size": 7}, {"name": "stranger", "size": 1}]
        return Answer(200, json.dumps(entries).encode(), V2)

    listed = with_backend(script, lambda backend: list(backend.list(FileKind.PACK)))
    assert listed == [ObjectInfo(PACK.name, 7)]
    assert asked == ["application/vnd.x.restic.rest.v2"]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"name": 1}', b'[{"name": "x"}]', b"[1]"])
@pytest.mark.parametrize("headers", [{}, V2])
def test_a_listing_that_cannot_be_read_never_looks_empty(
    body: bytes, headers: dict[str, str]
) -> None:
    with pytest.raises(TransientStorageError, match="cannot be read"):
        with_backend(
            lambda request: Answer(200, body, headers),
            lambda backend: list(backend.list(FileKind.PACK)),
        )


def test_a_folder_that_does_not_exist_yet_is_empty_where_the_config_shows_a_repository() -> None:
    def script(request: Request) -> Answer:
        return Answer(200, b"config") if request.path == "/config" else Answer(404)

    assert with_backend(script, lambda backend: list(backend.list(FileKind.LOCK))) == []


def test_saving_again_what_an_append_only_server_holds_is_harmless() -> None:
    server = OldServer({f"/data/{PACK.name}": DATA})
    with_backend(server, lambda backend: backend.save(PACK, memoryview(DATA)))
    assert server.objects == {f"/data/{PACK.name}": DATA}


@pytest.mark.parametrize("held", [b"", DATA[:-1]])
def test_an_append_only_server_that_holds_something_else_is_no_success(held: bytes) -> None:
    server = OldServer({f"/data/{PACK.name}": held})
    with pytest.raises(AccessDeniedError):
        with_backend(server, lambda backend: backend.save(PACK, DATA))


def test_an_upload_is_never_sent_on_to_another_server() -> None:
    seen = []

    def elsewhere(request: Request) -> Answer:
        seen.append(request)
        return Answer(200, DATA)

    with web_server(elsewhere) as other:
        target = {"Location": f"http://{other}/somewhere"}
        with pytest.raises(StorageError):
            with_backend(
                lambda request: Answer(307, headers=target),
                lambda backend: backend.save(PACK, DATA),
            )
        assert seen == []
        # Reading may be sent on, to a bucket for example, but without our password.
        loaded = with_backend(
            lambda request: Answer(307, headers=target), lambda backend: backend.load(PACK)
        )
    assert loaded == DATA
    assert "Authorization" not in seen[0].headers


def test_removing_what_is_gone_is_no_error() -> None:
    with_backend(OldServer({}), lambda backend: backend.remove(PACK))


def test_a_size_that_the_server_does_not_tell_is_an_error() -> None:
    with pytest.raises(StorageError):
        with_backend(
            lambda request: Answer(200, headers={"Content-Length": "many"}),
            lambda backend: backend.size(PACK),
        )


def test_an_empty_range_of_a_missing_object_is_not_found() -> None:
    with pytest.raises(ObjectNotFoundError):
        with_backend(OldServer({}), lambda backend: backend.load(PACK, 0, 0))


def test_the_password_is_in_no_representation() -> None:
    def work(backend: RestBackend) -> str:
        return repr(backend) + repr(vars(backend)) + backend.location

    assert SECRET not in str(with_backend(OldServer({}), work))


def test_what_a_full_gateway_says_is_shown_in_its_own_words() -> None:
    told = b"The vault has reached its quota.\nPrune it in steps." + b"x" * 5000
    plain = {"Content-Type": "text/plain; charset=utf-8"}
    with web_server(lambda _request: Answer(507, told, plain)) as host:
        backend = backend_at("rest", f"http://{host}")
        with pytest.raises(StorageFullError) as caught:
            backend.save(CONFIG, memoryview(b"config"))
        backend.close()
    assert "507: The vault has reached its quota. Prune it in steps." in caught.value.message
    assert len(caught.value.message) < 1000
