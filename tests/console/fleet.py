"""Many devices and open pages at once, against a console that runs."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psutil

from tests.console.live_owner import LiveOwner
from tests.console.running import REPOSITORY

_PATIENCE_SECONDS = 120
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was measured. ``heartbeat_seconds`` are those of all heartbeats, sorted."""

    heartbeat_seconds: tuple[float, ...]
    pages_told: int
    peak_bytes: int
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


def put_under_load(owner: LiveOwner, tokens: Sequence[str], *, pages: int, rounds: int) -> Load:
    """Every device waits for commands and sends ``rounds`` heartbeats, with a run that is told of
    in between; so many pages watch. Raises for any answer that is an error.
    """
    return asyncio.run(_put_under_load(owner, tokens, pages, rounds))


async def _put_under_load(owner: LiveOwner, tokens: Sequence[str], pages: int, rounds: int) -> Load:
    process = psutil.Process(_console_process(owner).pid)
    cookies = dict(owner.http.cookies.items())
    began, used = time.monotonic(), process.cpu_times()
    async with httpx.AsyncClient(
        base_url=owner.console.address, limits=_LIMITS, timeout=_PATIENCE_SECONDS
    ) as http:
        watching = [asyncio.create_task(_watch(http, cookies)) for _ in range(pages)]
        waiting = [asyncio.create_task(_wait(http, token)) for token in tokens]
        taken: list[float] = []
        peak = 0
        for _round in range(rounds):
            taken += await asyncio.gather(*(_report(http, token) for token in tokens))
            peak = max(peak, process.memory_info().rss)
        told = await asyncio.gather(*watching)
        peak = max(peak, process.memory_info().rss)
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        failures = [each for each in ended if isinstance(each, Exception)]
        assert not failures, failures[:3]
    after = process.cpu_times()
    return Load(
        heartbeat_seconds=tuple(sorted(taken)),
        pages_told=sum(told),
        peak_bytes=peak,
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


async def _watch(http: httpx.AsyncClient, cookies: dict[str, str]) -> bool:
    """An open page; whether it was told of a device that runs."""
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    async with http.stream(
        "GET", "/devices/live", headers={**header, "Accept": "text/event-stream"}
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


def _console_process(owner: LiveOwner) -> psutil.Process:
    """The server itself, not what launched it."""
    launched = psutil.Process(owner.console.server.process.pid)
    family = [launched, *launched.children(recursive=True)]
    return max(family, key=lambda each: each.memory_info().rss)
