"""What the suites over all backends share: the servers, and no pauses between tries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backup_agent.model.cancel import CancelToken
from tests.servers.park import ServerPark, server_park


@pytest.fixture(scope="session")
def park() -> Iterator[ServerPark]:
    with server_park() as servers:
        yield servers


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backends try again as often as ever, but at once: servers on loopback need no rest."""
    monkeypatch.setattr(CancelToken, "wait", lambda _token, _seconds: None)
