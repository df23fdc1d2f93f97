"""Zips on their way to a browser: what is in them, and how they end when they must not go on."""

from __future__ import annotations

import subprocess
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from console_ui.django_settings import console_settings
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
        files = [name for name in packed.namelist() if not name.endswith("/")]
        told = {packed.read(name).decode() for name in files}
    names = [name.rpartition("/")[2] for name in files]
    assert told == {f"called {name}" for name in NAMES}
    assert len(set(names)) == len(NAMES)
    assert not [name for name in names if "\\" in name or name.startswith((".." + "/", "C:"))]
    assert {"e\u0301tude", unicodedata.normalize("NFC", "e\u0301tude")} <= set(names)


def test_a_damaged_blob_breaks_the_transfer(mira: Restorer) -> None:
    data = mira.root / str(mira.vault.pk) / "repository" / "data"
    for pack in data.rglob("*"):
        if pack.is_file() and pack.stat().st_size > 4 << 20:
            with open(pack, "r+b") as file:
                file.seek(pack.stat().st_size * 3 // 4)
                file.write(bytes(64))
    address = _address(mira, "large.bin")

    received = bytearray()
    with mira.http() as http, http.stream("GET", address) as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            _read_all(answer, received)

    assert 0 < len(received) < 25 << 20
    assert b"PK\x05\x06" not in received[-100:]


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
        assert stalled.files_done == 0
        worker = psutil.Process(processes._running[mira.unlocked().id.hex].pid)
        assert worker.memory_info().rss < 256 << 20

    _wait_until(lambda: not _state(mira, address).is_running)


def test_how_far_a_zip_is_can_be_asked(mira: Restorer) -> None:
    address = _address(mira, "large.bin")
    assert mira.client.get(f"{address}/state").json()["has_ended"] is False
    with mira.http() as http:
        http.get(address)

    told = mira.client.get(f"{address}/state").json()

    assert (told["is_running"], told["has_ended"], told["left_out"]) == (False, True, 0)
