"""What WebDAV servers do between the steps of a save."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.errors import ObjectNotFoundError, StorageError, TransientStorageError
from backup_agent.storage.backend import CONFIG, FileKind
from backup_agent.storage.failures import Failures
from backup_agent.storage.web_client import Login
from backup_agent.storage.webdav import WebdavBackend
from tests.unit.storage.network import backend_at
from tests.unit.storage.objects import key_of
from tests.unit.storage.web_server import Answer, Request, web_server

DATA = b"content of a pack"
PACK = key_of(DATA)
INDEX = key_of(DATA, FileKind.INDEX)


class Share:
    """Files and folders of a WebDAV server; ``fail`` names a method that answers 500."""

    def __init__(self, *folders: str) -> None:
        self.files: dict[str, bytes] = {}
        self.folders = {"/", *folders}
        self.fail = ""
        self.methods: list[str] = []

    def __call__(self, request: Request) -> Answer:
        self.methods.append(request.method)
        if request.method == self.fail:
            return Answer(500)
        path = request.path
        match request.method:
            case "MKCOL" if path in self.folders:
                return Answer(405)
            case "MKCOL" | "PUT" if _parent(path) not in self.folders:
                return Answer(409)
            case "MKCOL":
                self.folders.add(path)
                return Answer(201)
            case "PUT":
                self.files[path] = request.body
                return Answer(201)
            case "MOVE":
                return self._move(path, request)
            case "PROPFIND":
                return Answer(207, self._listing(path))
            case "DELETE":
                return Answer(204 if self.files.pop(path, None) is not None else 404)
            case _:
                return Answer(200, self.files[path]) if path in self.files else Answer(404)

    def _move(self, path: str, request: Request) -> Answer:
        target = "/" + request.headers["Destination"].split("/", 3)[3]
        if target in self.files and request.headers["Overwrite"] == "F":
            return Answer(412)
        self.files[target] = self.files.pop(path)
        return Answer(201)

    def _listing(self, folder: str) -> bytes:
        """All files were changed on 1 January 2026."""
        inside = [p for p in {*self.files, *self.folders} if _parent(p) == folder]
        entries = "".join(
            f"<response><href>{path}</href><propstat><prop>"
            f"{'<resourcetype><collection/></resourcetype>' if path.endswith('/') else ''}"
            "<getlastmodified>Thu, 01 Jan 2026 00:00:00 GMT</getlastmodified>"
            "</prop></propstat></response>"
            for path in sorted(inside)
        )
        return f'<multistatus xmlns="DAV:">{entries}</multistatus>'.encode()


def _parent(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


@pytest.fixture
def share() -> Share:
    return Share("/data/", "/index/")


def save(share: Share, key: object = PACK) -> None:
    with web_server(share) as host:
        backend = backend_at("webdav", f"http://{host}")
        try:
            backend.save(PACK if key is PACK else INDEX, DATA)
        finally:
            backend.close()


def test_an_object_gets_its_name_only_when_it_is_whole(share: Share) -> None:
    save(share)
    assert share.files == {f"/{PACK.path}": DATA}
    assert share.methods == ["MKCOL", "PUT", "MOVE"]


def test_a_packs_folder_is_made_once_and_never_found_missing_by_an_upload(share: Share) -> None:
    with web_server(share) as host:
        backend = backend_at("webdav", f"http://{host}")
        backend.save(PACK, DATA)
        backend.save(PACK, DATA)
        backend.close()
    assert share.methods.count("MKCOL") == 1
    assert share.methods[0] == "MKCOL"


def test_a_whole_object_that_is_there_already_is_left_alone(share: Share) -> None:
    save(share)
    share.methods.clear()
    save(share)
    assert share.files == {f"/{PACK.path}": DATA}
    assert share.methods == ["MKCOL", "PUT", "MOVE", "GET", "DELETE"]


@pytest.mark.parametrize("damaged", [b"", DATA[:-1], DATA + b"x"])
def test_a_damaged_object_of_that_name_is_replaced(share: Share, damaged: bytes) -> None:
    share.folders.add(f"/data/{PACK.name[:2]}/")
    share.files[f"/{PACK.path}"] = damaged
    save(share)
    assert share.files == {f"/{PACK.path}": DATA}


def test_a_move_that_fails_leaves_nothing_behind(share: Share) -> None:
    share.fail = "MOVE"
    with pytest.raises(TransientStorageError):
        save(share)
    assert share.files == {}


def test_a_folder_that_vanished_is_not_made_anew(share: Share) -> None:
    share.folders -= {"/data/", "/index/"}
    for key in (PACK, INDEX):
        with pytest.raises(ObjectNotFoundError, match="no folder"):
            save(share, key)
    assert share.folders == {"/"}


def test_preparing_makes_the_missing_parents_and_may_be_repeated() -> None:
    share = Share()
    with web_server(share) as host:
        backend = backend_at("webdav", f"http://{host}/deep/down")
        backend.prepare()
        backend.prepare()
        backend.save(CONFIG, b"config")
        backend.close()
    kinds = {"data", "index", "keys", "locks", "snapshots"}
    made = {"/", "/deep/", "/deep/down/"} | {f"/deep/down/{kind}/" for kind in kinds}
    assert share.folders == made
    assert share.files == {"/deep/down/config": b"config"}


def test_a_share_whose_own_top_is_missing_is_no_endless_search() -> None:
    with web_server(lambda request: Answer(409)) as host:
        backend = backend_at("webdav", f"http://{host}/a/b")
        with pytest.raises(StorageError):
            backend.prepare()
        backend.close()


@pytest.mark.parametrize("body", [b"", b"<html>", b"<html></html>"])
def test_a_listing_that_cannot_be_read_never_looks_empty(body: bytes) -> None:
    with web_server(lambda request: Answer(207, body)) as host:
        backend = backend_at("webdav", f"http://{host}")
        with pytest.raises(TransientStorageError):
            list(backend.list(FileKind.INDEX))
        backend.close()


@pytest.mark.parametrize(("hours", "swept"), [(23, 0), (25, 4)])
def test_what_uploads_left_that_broke_off_a_day_ago_is_swept(hours: int, swept: int) -> None:
    share = Share(*(f"/{kind.value}/" for kind in FileKind), "/data/ab/", "/data/other/")
    pack, other = "ab" * 32, "/data/other/" + "cd" * 32 + "-tmp-1"
    whole = {f"/data/ab/{pack}", f"/index/{pack}", "/notes-tmp-1", other}
    left = {
        "/config-tmp-1",
        f"/data/{pack}-tmp-1",
        f"/data/ab/{pack}-tmp-1",
        f"/index/{pack}-tmp-1",
    }
    share.files = dict.fromkeys(whole | left, DATA)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    with web_server(share) as host:
        backend = WebdavBackend(
            f"http://{host}/",
            failures=Failures("share", ""),
            login=Login("", ""),
            clock=now.timestamp,
        )
        try:
            assert backend.sweep() == swept
        finally:
            backend.close()
    assert share.files.keys() == (whole if swept else whole | left)
