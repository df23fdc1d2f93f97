"""What the suites over all backends share: the servers, and no pauses between tries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from backup_agent.storage import addresses
from tests.servers.park import ServerPark, server_park


@pytest.fixture(scope="session")
def park() -> Iterator[ServerPark]:
    with server_park() as servers:
        yield servers


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backends try again as often as ever, but at once: servers on loopback need no rest."""
    hasty = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(addresses, "time", hasty)
