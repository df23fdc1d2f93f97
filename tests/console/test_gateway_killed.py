"""A real console that is killed at one step of its work leaves each object whole or absent."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.console.separate_process import Console, running_console

_BODY = b"what was stored"
_NAME = hashlib.sha256(_BODY).hexdigest()
_PATIENCE_SECONDS = 60


def dies(console: Console, request: Callable[[httpx.Client], httpx.Response]) -> None:
    """The request is what kills the console."""
    with console.client() as http, pytest.raises(httpx.TransportError):
        request(http)
    console.server.process.wait(_PATIENCE_SECONDS)


def marks(console: Console) -> list[Path]:
    return list((console.repository.parent / "marks" / "index").iterdir())


def stored(console: Console, kind: str) -> list[Path]:
    return [path for path in (console.repository / kind).rglob("*") if path.name == _NAME]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def change_database(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "console.sqlite3", timeout=20)) as database, database:
        for statement in statements:
            database.execute(statement)


def let_lease_run_out(folder: Path) -> None:
    """As if half an hour had passed."""
    change_database(folder, "DELETE FROM storage_lease")


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "console.sqlite3", timeout=20)) as database:
        return database.execute(query).fetchall()


@pytest.mark.parametrize(("when", "again"), [("before", 200), ("after", 404)])
def test_a_deletion_is_finished_when_it_is_asked_for_again(
    tmp_path: Path, when: str, again: int
) -> None:
    with running_console(tmp_path, "--die", when, "save_mark") as console:
        with console.client() as http:
            http.post(f"snapshots/{_NAME}", content=_BODY).raise_for_status()
        dies(console, lambda http: http.delete(f"snapshots/{_NAME}"))

    with running_console(tmp_path) as console, console.client() as http:
        assert http.get("snapshots/").json() == []
        assert http.get(f"snapshots/{_NAME}").status_code == 404
        assert http.delete(f"snapshots/{_NAME}").status_code == again
        assert len(marks(console)) == 1
        assert stored(console, "snapshots")[0].read_bytes() == _BODY
    told = rows(tmp_path, "SELECT count(*) FROM audit_entry WHERE action LIKE '%point_hidden'")
    assert told == [(1,)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lock_that_was_half_removed_is_listed_no_more_and_goes(tmp_path: Path, when: str) -> None:
    with running_console(tmp_path, "--die", when, "remove") as console:
        with console.client() as http:
            http.post(f"locks/{_NAME}", content=_BODY).raise_for_status()
        dies(console, lambda http: http.delete(f"locks/{_NAME}"))
    let_lease_run_out(tmp_path)

    with running_console(tmp_path) as console, console.client() as http:
        assert http.get("locks/").json() == []
        wait_until(lambda: not rows(tmp_path, "SELECT * FROM storage_storedobject"))
        assert stored(console, "locks") == []
        http.post(f"locks/{_NAME}", content=_BODY).raise_for_status()
        assert http.get("locks/").json() == [_NAME]


@pytest.mark.parametrize("kind", ["data", "config"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_upload_is_absent_until_it_comes_again(tmp_path: Path, when: str, kind: str) -> None:
    path = kind if kind == "config" else f"{kind}/{_NAME}"
    with running_console(tmp_path, "--die", when, "write") as console:
        dies(console, lambda http: http.post(path, content=_BODY))

    # As if the minutes had passed in which the other process might be at work.
    change_database(tmp_path, "UPDATE storage_upload SET ends_at = '2000-01-01'")
    with running_console(tmp_path) as console, console.client() as http:
        http.post(path, content=_BODY).raise_for_status()
        assert http.get(path).content == _BODY


def test_a_hidden_object_that_was_to_return_stays_hidden_until_it_comes_again(
    tmp_path: Path,
) -> None:
    with running_console(tmp_path, "--die", "after", "remove_mark") as console:
        with console.client() as http:
            http.post(f"data/{_NAME}", content=_BODY).raise_for_status()
            http.delete(f"data/{_NAME}").raise_for_status()
        dies(console, lambda http: http.post(f"data/{_NAME}", content=_BODY))

    with running_console(tmp_path) as console, console.client() as http:
        assert http.get("data/").json() == []
        http.post(f"data/{_NAME}", content=_BODY).raise_for_status()
        assert http.get(f"data/{_NAME}").content == _BODY
        assert marks(console) == []


@pytest.mark.parametrize(
    ("when", "step"), [("before", "remove"), ("after", "remove"), ("after", "remove_mark")]
)
def test_a_purge_that_was_broken_off_is_finished(tmp_path: Path, when: str, step: str) -> None:
    with running_console(tmp_path) as console, console.client() as http:
        http.post(f"data/{_NAME}", content=_BODY).raise_for_status()
        http.delete(f"data/{_NAME}").raise_for_status()
    change_database(
        tmp_path,
        "UPDATE storage_alarm SET confirmed_at = '2000-01-01'",
        "UPDATE storage_storedobject SET hidden_at = '2000-01-01'",
        "UPDATE storage_vault SET made_at = '2000-01-01'",
    )
    let_lease_run_out(tmp_path)
    with running_console(tmp_path, "--die", when, step) as console:
        console.server.process.wait(_PATIENCE_SECONDS)
    let_lease_run_out(tmp_path)

    with running_console(tmp_path) as console, console.client() as http:
        wait_until(lambda: not rows(tmp_path, "SELECT * FROM storage_storedobject"))
        assert (stored(console, "data"), marks(console)) == ([], [])
        http.post(f"data/{_NAME}", content=_BODY).raise_for_status()
        assert http.get(f"data/{_NAME}").content == _BODY
    assert rows(tmp_path, "SELECT visible_bytes, hidden_bytes FROM storage_vault") == [
        (len(_BODY), 0)
    ]
