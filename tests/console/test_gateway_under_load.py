"""Many devices at once, and a console that is killed in the middle of it."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.servers.process import Server, running

_MIB = 1 << 20
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Console:
    """A console in a process of its own."""

    url: str
    login: tuple[str, str]
    repository: Path
    server: Server

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=self.login, timeout=120)


@contextmanager
def running_console(folder: Path) -> Iterator[Console]:
    command = (sys.executable, "-m", "tests.console.gateway_process", str(folder))
    environment = {"PYTHONPATH": str(_ROOT)}
    with running(command, folder=folder, name="console", environment=environment) as server:
        server.wait_until(lambda: server.log.read_text().endswith("}\n"))
        told = json.loads(server.log.read_text().splitlines()[-1])
        login = (told["login"], told["password"])
        yield Console(told["url"], login, Path(told["repository"]), server)


def work_of_one_device(console: Console, number: int, *, size: int, packs: int) -> None:
    """Lock, store, read, read a part, unlock. Every answer has to be right."""
    source = random.Random(number)
    with console.client() as http:
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


def work_at_once(console: Console, *, devices: int, size: int, packs: int) -> float:
    """All devices at their work; the most memory that the console held meanwhile, in MiB."""
    process, most = psutil.Process(console.server.process.pid), 0
    with ThreadPoolExecutor(devices) as threads:
        jobs = [
            threads.submit(work_of_one_device, console, number, size=size, packs=packs)
            for number in range(devices)
        ]
        for job in jobs:
            while not job.done():
                most = max(most, process.memory_info().rss)
                wait([job], timeout=0.05)
    for job in jobs:
        job.result()
    return most / _MIB


def test_many_devices_at_once_get_right_answers(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        most = work_at_once(console, devices=40, size=_MIB, packs=1)

        with console.client() as http:
            assert len(http.get("data/").json()) == 40
            assert http.get("locks/").json() == []
    assert most < 400


@pytest.mark.full
def test_two_hundred_devices_at_once_get_right_answers_in_bounded_memory(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        most = work_at_once(console, devices=200, size=8 * _MIB, packs=2)

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
