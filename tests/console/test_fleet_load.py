"""Many devices and pages at once: nobody is refused, and memory stays within bounds."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.console.fleet import link_devices, put_under_load
from tests.console.live_owner import become_owner
from tests.console.running import running_console

_DEVICES, _PAGES = 40, 8
_MOST_BYTES = 400_000_000


def test_a_fleet_that_reports_while_pages_watch_is_served_without_an_error(tmp_path: Path) -> None:
    with (
        running_console(tmp_path) as console,
        httpx.Client(base_url=console.address) as http,
    ):
        owner = become_owner(console, http)
        tokens = link_devices(owner, _DEVICES)

        load = put_under_load(owner, tokens, pages=_PAGES, rounds=2)

        assert len(load.heartbeat_seconds) == 2 * _DEVICES
        assert load.pages_told == _PAGES
        assert load.peak_bytes < _MOST_BYTES
        assert owner.http.get("/api/v1/devices").json()["count"] == _DEVICES
        assert len(owner.http.get("/api/v1/events").json()["events"]) == 2 * _DEVICES
