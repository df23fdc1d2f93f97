"""Many devices, open pages and downloads at once, against a console that runs."""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from tests.console.live_owner import LiveOwner
from tests.console.running import REPOSITORY

_PATIENCE_SECONDS = 120
_LOOK_SECONDS = 0.25
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was measured. ``heartbeat_seconds`` are those of all heartbeats, sorted; ``zip_bytes``
    were received in all. ``worker_bytes`` is what the process that reads the vault took at most.
    """

    heartbeat_seconds: tuple[float, ...]
    pages_told: int
    zip_bytes: int
    peak_bytes: int
    worker_bytes: int
    processor_seconds: float
    lasted_seconds: float

    @property
    def median_seconds(self) -> float:
        return statistics.median(self.heartbeat_seconds)

    @property
    def slowest_seconds(self) -> float:
        return self.heartbeat_seconds[-1]


def link_devices(owner: LiveOwner, count: int) -> list[str]:
    """Access tokens of so many new devices."""
    told = subprocess.check_output(
        [
            *(sys.executable, "-m", "tests.console.live_devices"),
            *(str(owner.console.data), str(count)),
        ],
        cwd=REPOSITORY,
        text=True,
    )
    return told.split()


def offer_zip(owner: LiveOwner, root: Path, repository: Path, password: str) -> str:
    """The address of a zip of all that a repository's only restore point holds; it is copied into
    a vault below ``root``, and unlocked.
    """
    module = "tests.console.live_restore"
    vault = subprocess.check_output(
        [sys.executable, "-m", module, str(owner.console.data), str(root), str(repository)],
        cwd=REPOSITORY,
        text=True,
    ).strip()
    point = next((repository / "snapshots").iterdir()).name
    restore = f"/vaults/{vault}/restore"
    unlocked = owner.post(f"{restore}/unlock", password=password)
    assert unlocked.headers.get("Location") == restore, unlocked.text
    page = owner.http.get(f"{restore}/{point}/files").text
    items = re.findall(r'name="item" value="([0-9a-f]{32})"', page)
    return owner.post(f"{restore}/{point}/download", item=items).headers["Location"]


def put_under_load(
    owner: LiveOwner,
    tokens: Sequence[str],
    *,
    pages: int,
    rounds: int,
    zips: Sequence[str] = (),
) -> Load:
    """Every device waits for commands and sends ``rounds`` heartbeats, with a run that is told of
    in between; so many pages watch, and the zips at these addresses are downloaded. Raises for any
    answer that is an error, and for a zip that is not as long as it said.
    """
    return asyncio.run(_put_under_load(owner, tokens, pages, rounds, zips))


async def _put_under_load(
    owner: LiveOwner, tokens: Sequence[str], pages: int, rounds: int, zips: Sequence[str]
) -> Load:
    memory = _Memory(owner)
    process = memory.console
    cookies = dict(owner.http.cookies.items())
    began, used = time.monotonic(), process.cpu_times()
    async with httpx.AsyncClient(
        base_url=owner.console.address, limits=_LIMITS, timeout=_PATIENCE_SECONDS
    ) as http:
        watching = [asyncio.create_task(_watch(http, cookies)) for _ in range(pages)]
        waiting = [asyncio.create_task(_wait(http, token)) for token in tokens]
        loading = [asyncio.create_task(_download(http, cookies, address)) for address in zips]
        watching_memory = asyncio.create_task(memory.watch())
        taken: list[float] = []
        for _round in range(rounds):
            taken += await asyncio.gather(*(_report(http, token) for token in tokens))
        told = await asyncio.gather(*watching)
        received = await asyncio.gather(*loading)
        memory.look()
        for task in (*waiting, watching_memory):
            task.cancel()
        ended = await asyncio.gather(*waiting, watching_memory, return_exceptions=True)
        failures = [each for each in ended if isinstance(each, Exception)]
        assert not failures, failures[:3]
    after = process.cpu_times()
    return Load(
        heartbeat_seconds=tuple(sorted(taken)),
        pages_told=sum(told),
        zip_bytes=sum(received),
        peak_bytes=memory.console_peak,
        worker_bytes=memory.worker_peak,
        processor_seconds=after.user + after.system - used.user - used.system,
        lasted_seconds=time.monotonic() - began,
    )


async def _report(http: httpx.AsyncClient, token: str) -> float:
    """A heartbeat and a run that begins; how long the heartbeat took."""
    headers = {"Authorization": f"Bearer {token}"}
    began = time.monotonic()
    answer = await http.post("/api/v1/device/heartbeat", json={"plans": []}, headers=headers)
    answer.raise_for_status()
    seconds = time.monotonic() - began
    event = {
        "kind": "run_started",
        "run": str(uuid.uuid4()),
        "at": datetime.now(UTC).isoformat(),
    }
    answer = await http.post("/api/v1/device/events", json={"events": [event]}, headers=headers)
    answer.raise_for_status()
    return seconds


async def _download(http: httpx.AsyncClient, cookies: dict[str, str], address: str) -> int:
    """The bytes of a zip, thrown away as they come."""
    received = 0
    async with http.stream("GET", address, headers=_header(cookies)) as stream:
        stream.raise_for_status()
        async for piece in stream.aiter_raw():
            received += len(piece)
    assert received == int(stream.headers["Content-Length"])
    return received


async def _watch(http: httpx.AsyncClient, cookies: dict[str, str]) -> bool:
    """An open page; whether it was told of a device that runs."""
    async with http.stream(
        "GET", "/devices/live", headers={**_header(cookies), "Accept": "text/event-stream"}
    ) as stream:
        stream.raise_for_status()
        async for line in stream.aiter_lines():
            if line.startswith("data: ") and '"running": true' in line:
                return True
    return False


async def _wait(http: httpx.AsyncClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        answer = await http.get("/api/v1/device/commands?wait=50", headers=headers)
        answer.raise_for_status()


def _header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def processes_of(owner: LiveOwner) -> tuple[psutil.Process, list[psutil.Process]]:
    """The server, and those that hold the keys of its unlocked vaults."""
    launched = psutil.Process(owner.console.server.process.pid)
    family = [launched, *launched.children(recursive=True)]
    workers = [each for each in family if "console_ui.unlocked" in each.cmdline()]
    # The server itself, not what launched it.
    others = [each for each in family if each not in workers]
    return max(others, key=lambda each: each.memory_info().rss), workers


@dataclass(slots=True)
class _Memory:
    """The most that the server and the process of its unlocked vault were seen to take."""

    owner: LiveOwner
    console: psutil.Process = field(init=False)
    workers: list[psutil.Process] = field(init=False)
    console_peak: int = 0
    worker_peak: int = 0

    def __post_init__(self) -> None:
        self.console, self.workers = processes_of(self.owner)

    async def watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        self.console_peak = max(self.console_peak, self.console.memory_info().rss)
        for worker in self.workers:
            self.worker_peak = max(self.worker_peak, worker.memory_info().rss)
