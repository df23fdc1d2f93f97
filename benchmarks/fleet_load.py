"""200 devices that report and wait for commands, and 40 open pages, at one console.

python -m benchmarks.fleet_load [DEVICES [PAGES]]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import httpx

from tests.console.fleet import link_devices, put_under_load
from tests.console.live_owner import become_owner
from tests.console.running import running_console

_ROUNDS = 5
_MEBIBYTE = 1 << 20


def main(devices: int, pages: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_console(Path(folder)) as console,
        httpx.Client(base_url=console.address) as http,
    ):
        owner = become_owner(console, http)
        load = put_under_load(owner, link_devices(owner, devices), pages=pages, rounds=_ROUNDS)
    answered = 2 * len(load.heartbeat_seconds)
    print(f"{devices} devices, {pages} pages: {answered} reports in {load.lasted_seconds:.1f} s")
    print(f"heartbeat: median {load.median_seconds:.2f} s, slowest {load.slowest_seconds:.2f} s")
    print(f"console: {load.peak_bytes / _MEBIBYTE:.0f} MiB, {load.processor_seconds:.1f} CPU s")


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] or ["200", "40"])))
