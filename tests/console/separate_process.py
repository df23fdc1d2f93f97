"""A whole console with a gateway, in a process that tests can watch and kill."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.console.first_start import place_first_start
from tests.servers.process import Server, running

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Console:
    """``tokens`` opens other vaults of this console: the address of each, and a device's token."""

    url: str
    login: tuple[str, str]
    repository: Path
    tokens: dict[str, str]
    server: Server

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=self.login, timeout=120)


@contextmanager
def running_console(folder: Path, *options: str) -> Iterator[Console]:
    """``options`` as ``tests.console.gateway_process`` knows them."""
    command = (sys.executable, "-m", "tests.console.gateway_process", str(folder), *options)
    environment = {"PYTHONPATH": str(_ROOT)}
    place_first_start(folder)
    with running(command, folder=folder, name="console", environment=environment) as server:
        server.wait_until(lambda: server.log.read_text().endswith("}\n"))
        told = json.loads(server.log.read_text().splitlines()[-1])
        yield Console(
            url=told["url"],
            login=(told["login"], told["password"]),
            repository=Path(told["repository"]),
            tokens=told["tokens"],
            server=server,
        )
