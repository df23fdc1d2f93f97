"""Many devices at once, and a console that is killed in the middle of it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import psutil
import pytest

from tests.console.separate_process import Console, running_console

_MIB = 1 << 20


def work_of_one_device(http: httpx.Client, number: int, *, size: int, packs: int) -> None:
    """Lock, store, read, read a part, unlock. Every answer has to be right."""
    source = random.Random(number)
    lock = source.randbytes(200)
    lock_name = hashlib.sha256(lock).hexdigest()
    http.post(f"locks/{lock_name}", content=lock).raise_for_status()
    for _pack in range(packs):
        body = source.randbytes(size)
        name = hashlib.sha256(body).hexdigest()
        http.post(f"data/{name}", content=body).raise_for_status()
        assert http.get(f"data/{name}").content == body
        part = http.get(f"data/{name}", headers={"Range": "bytes=1000-1999"})
        assert part.content == body[1000:2000]
    http.delete(f"locks/{lock_name}").raise_for_status()


def all_at_once(console: Console, work: Callable[[int], None], *, devices: int) -> float:
    """All devices at their work; the most memory that the console held meanwhile, in MiB."""
    process, most = psutil.Process(console.server.process.pid), 0
    with ThreadPoolExecutor(devices) as threads:
        jobs = [threads.submit(work, number) for number in range(devices)]
        for job in jobs:
            while not job.done():
                most = max(most, process.memory_info().rss)
                wait([job], timeout=0.05)
    for job in jobs:
        job.result()
    return most / _MIB


def in_one_vault(console: Console, *, size: int, packs: int) -> Callable[[int], None]:
    def work(number: int) -> None:
        with console.client() as http:
            work_of_one_device(http, number, size=size, packs=packs)

    return work


def test_many_devices_at_once_get_right_answers(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        most = all_at_once(console, in_one_vault(console, size=_MIB, packs=1), devices=40)

        with console.client() as http:
            assert len(http.get("data/").json()) == 40
            assert http.get("locks/").json() == []
    assert most < 400


def test_two_hundred_devices_with_a_vault_and_a_token_each_get_right_answers_at_once(
    tmp_path: Path,
) -> None:
    with running_console(tmp_path, "--devices", "200") as console:
        devices = list(console.tokens.items())

        def work(number: int) -> None:
            address, token = devices[number]
            headers = {"Authorization": f"Bearer {token}"}
            with httpx.Client(base_url=address, headers=headers, timeout=120) as http:
                work_of_one_device(http, number, size=50_000, packs=1)
                assert len(http.get("data/").json()) == 1
                # A neighbour's vault is none of its business.
                assert http.get(f"{devices[number - 1][0]}data/").status_code == 404

        most = all_at_once(console, work, devices=200)

    assert most < 300


@pytest.mark.full
def test_two_hundred_devices_at_once_get_right_answers_in_bounded_memory(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        most = all_at_once(console, in_one_vault(console, size=8 * _MIB, packs=2), devices=200)

    # 200 devices send and fetch 3 GiB each way; the console holds a fraction of one round.
    assert most < 700


@pytest.mark.parametrize("acknowledged", [0, 5])
def test_a_killed_console_leaves_every_upload_whole_or_absent(
    tmp_path: Path, acknowledged: int
) -> None:
    source = random.Random(acknowledged)
    bodies = [source.randbytes(500_000 + 1000 * n) for n in range(20)]
    names = [hashlib.sha256(body).hexdigest() for body in bodies]
    done: list[str] = []
    with running_console(tmp_path) as console, console.client() as http:

        def send(name: str, body: bytes) -> None:
            try:
                if http.post(f"data/{name}", content=body).is_success:
                    done.append(name)
            except httpx.TransportError:
                return
            if len(done) > acknowledged:
                console.server.process.kill()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(send, names, bodies))

    with running_console(tmp_path) as console, console.client() as http:
        for name in done:
            answer = http.get(f"data/{name}")
            assert hashlib.sha256(answer.content).hexdigest() == name
        for name, body in zip(names, bodies, strict=True):
            http.post(f"data/{name}", content=body).raise_for_status()
        assert sorted(http.get("data/").json()) == sorted(names)
        stored = [p for p in (console.repository / "data").rglob("*") if len(p.name) == 64]
        assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in stored} == {
            name: name for name in names
        }
    assert list((tmp_path / "spool").iterdir()) == []
