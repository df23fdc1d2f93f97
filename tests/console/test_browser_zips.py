"""Zips on their way to a browser: what is in them, and how they end when they must not go on."""

from __future__ import annotations

import subprocess
import time
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from django.utils import timezone

from console_ui.django_settings import console_settings
from console_ui.storage.models import State, StoredObject
from console_ui.unlocked.asking import UnlockedDoor
from console_ui.unlocked.messages import AskZip, ZipState
from console_ui.unlocked.starting import processes
from tests.console.restoring import NAMES, Restorer

_LONGEST_SECONDS = 30


def _address(mira: Restorer, *names: str) -> str:
    """Unlock, tick these documents, and press Download."""
    point = mira.stored.files_point
    mira.unlock()
    listed = mira.lines(f"{mira.at(point)}/{mira.reference(point, *mira.stored.where)}")
    return mira.zip_address(point, *(listed[name] for name in names))


def _state(mira: Restorer, address: str) -> ZipState:
    unlocked = mira.unlocked()
    door = UnlockedDoor(console_settings().unlocked_folder, unlocked.id.hex, unlocked.secret)
    return door.ask(AskZip(address.rpartition("/")[2]), ZipState)


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _read_all(answer: httpx.Response, received: bytearray) -> None:
    for piece in answer.iter_raw():
        received += piece


def test_names_that_could_be_misread_are_safe_and_distinct(mira: Restorer, tmp_path: Path) -> None:
    address = _address(mira, "names")
    file = tmp_path / "names.zip"
    with mira.http() as http:
        file.write_bytes(http.get(address).content)

    for command in (["7z", "t", str(file)], ["unzip", "-t", str(file)]):
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout
    with zipfile.ZipFile(file) as packed:
        *files, note = [name for name in packed.namelist() if not name.endswith("/")]
        told = {packed.read(name).decode() for name in files}
        renamed = packed.read(note).decode()
    names = [name.rpartition("/")[2] for name in files]
    assert told == {f"called {name}" for name in NAMES}
    assert len({unicodedata.normalize("NFC", name).upper() for name in names}) == len(NAMES)
    assert not [name for name in names if set(name) & set('\\:*?"<>|') or name.endswith(".")]
    assert note == "Renamed in this zip.txt"
    assert f"{mira.stored.documents}/names/C:: " in renamed
    assert f"{mira.stored.documents}/names/twin: " in renamed
    assert f"{mira.stored.documents}/names/Twin: " not in renamed


def test_the_length_of_a_zip_is_told_and_the_same_selection_gives_the_same_bytes(
    mira: Restorer,
) -> None:
    address = _address(mira, "large.bin", "names")
    with mira.http() as http:
        told = http.head(address)
        first = http.get(address)
        mira.client.post(f"{mira.restore}/lock")
        again = http.get(_address(mira, "large.bin", "names"))

    assert told.headers["Content-Length"] == str(len(first.content))
    assert told.headers["ETag"] == first.headers["ETag"] == again.headers["ETag"]
    assert first.headers["Accept-Ranges"] == "bytes"
    assert first.content == again.content


def test_a_download_that_broke_off_goes_on_where_it_was(mira: Restorer, tmp_path: Path) -> None:
    address = _address(mira, "large.bin", "names", "notes.txt")
    cookies = "; ".join(f"{name}={each.value}" for name, each in mira.client.cookies.items())
    file = tmp_path / "some.zip"
    curl = ["curl", "-s", "-S", "-o", str(file), "-H", f"Cookie: {cookies}", mira.address + address]
    with mira.http() as http:
        whole = http.get(address)
        file.write_bytes(whole.content[: 10 << 20])

    done = subprocess.run([*curl, "-C", "-"], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == whole.content
    assert subprocess.run(["unzip", "-tq", str(file)], check=False).returncode == 0


def test_the_rest_of_other_bytes_is_not_given(mira: Restorer) -> None:
    address = _address(mira, "notes.txt")
    with mira.http() as http:
        whole = http.get(address)
        tag = whole.headers["ETag"]
        rest = http.get(address, headers={"Range": "bytes=20-", "If-Range": tag})
        end = http.get(address, headers={"Range": "bytes=-22"})
        other = http.get(address, headers={"Range": "bytes=20-", "If-Range": '"another"'})
        beyond = http.get(address, headers={"Range": f"bytes={len(whole.content)}-"})

    assert (rest.status_code, rest.content) == (206, whole.content[20:])
    assert (
        rest.headers["Content-Range"] == f"bytes 20-{len(whole.content) - 1}/{len(whole.content)}"
    )
    assert (end.status_code, end.content[:4]) == (206, b"PK\x05\x06")
    assert (other.status_code, other.content) == (200, whole.content)
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.content)}"


def _damage_large_packs(mira: Restorer) -> None:
    data = mira.root / str(mira.vault.pk) / "repository" / "data"
    for pack in data.rglob("*"):
        if pack.is_file() and pack.stat().st_size > 4 << 20:
            with open(pack, "r+b") as file:
                file.seek(pack.stat().st_size * 3 // 4)
                file.write(bytes(64))


def test_a_damaged_blob_breaks_the_transfer(mira: Restorer) -> None:
    _damage_large_packs(mira)
    address = _address(mira, "large.bin")

    received = bytearray()
    with mira.http() as http, http.stream("GET", address) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            _read_all(answer, received)

    assert 0 < len(received) < int(answer.headers["Content-Length"])
    assert b"PK\x05\x06" not in received[-100:]


def test_the_page_names_the_damaged_file_and_the_rest_is_had_without_it(
    mira: Restorer, tmp_path: Path
) -> None:
    _damage_large_packs(mira)
    point = mira.stored.files_point
    address = _address(mira, "large.bin", "notes.txt")
    chosen = mira.lines(f"{mira.at(point)}/{mira.reference(point, *mira.stored.where)}")
    items = [chosen["large.bin"], chosen["notes.txt"]]
    file = tmp_path / "rest.zip"
    with mira.http() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(address)
        told = http.get(f"{address}/state").json()
        assert told["without"] == [chosen["large.bin"]]
        assert "large.bin is damaged in the restore point." in told["text"]

        rest = mira.client.post(
            mira.at(point, "download"), {"item": items, "without": told["without"]}
        ).headers["Location"]
        file.write_bytes(http.get(rest).content)
        after = http.get(f"{rest}/state").json()

    assert rest != address
    assert (after["without"], after["left_out"]) == ([], 1)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if not name.endswith("/")]
        assert [name.rpartition("/")[2] for name in names] == [
            "notes.txt",
            "Left out of this zip.txt",
        ]
        listed = archive.read(names[-1]).decode()
    assert "large.bin: it is damaged in the restore point, and was done without" in listed


def test_a_browser_that_reads_slowly_slows_the_vault_down_and_a_closed_one_stops_it(
    mira: Restorer,
) -> None:
    address = _address(mira, "large.bin", "names")

    with mira.http() as http, http.stream("GET", address) as answer:
        pieces = answer.iter_raw(1 << 16)
        next(pieces)
        _wait_until(lambda: _state(mira, address).bytes_total > 24 << 20)
        stalled = _state(mira, address)
        assert stalled.is_running
        assert stalled.bytes_done < stalled.bytes_total // 2
        worker = psutil.Process(processes._running[mira.unlocked().id.hex].pid)
        assert worker.memory_info().rss < 256 << 20

    _wait_until(lambda: not _state(mira, address).is_running)


def test_a_prune_neither_waits_for_who_browses_nor_takes_anything_from_them(
    mira: Restorer,
) -> None:
    address = _address(mira, "large.bin")
    kinds = StoredObject.objects.filter(vault=mira.vault)
    assert not kinds.filter(kind="locks").exists()
    kinds.filter(kind="data").update(state=State.HIDDEN, hidden_at=timezone.now())

    with mira.http() as http:
        answer = http.get(address)
    assert len(answer.content) == int(answer.headers["Content-Length"])

    kinds.filter(kind="data").update(hidden_at=timezone.now() - timedelta(hours=14))
    with mira.http() as http:
        assert http.get(address).status_code == 409


def test_whoever_browses_can_change_nothing_not_even_locks(mira: Restorer) -> None:
    mira.unlock()
    token = {"Authorization": f"Bearer {mira.unlocked().token}"}
    vault = f"{mira.address}/storage/{mira.vault.pk}"
    assert httpx.get(f"{vault}/config", headers=token).status_code == 200
    for kind in ("locks", "data"):
        stored = httpx.post(f"{vault}/{kind}/{'0' * 64}", headers=token, content=b"x")
        assert stored.status_code == 403


def test_how_far_a_zip_is_can_be_asked(mira: Restorer) -> None:
    address = _address(mira, "large.bin")
    assert mira.client.get(f"{address}/state").json()["has_ended"] is False
    with mira.http() as http:
        http.get(address)

    told = mira.client.get(f"{address}/state").json()

    assert (told["is_running"], told["has_ended"], told["left_out"]) == (False, True, 0)
