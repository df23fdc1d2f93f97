"""200 devices that report and wait for commands, 40 open pages and 20 zips, at one console.

python -m benchmarks.fleet_load [DEVICES [PAGES [ZIPS [MEBIBYTES]]]]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import httpx

from benchmarks.against_restic import ENVIRONMENT, EVERBOOT
from benchmarks.measure import run
from tests.console.fleet import link_devices, offer_zip, put_under_load
from tests.console.live_owner import become_owner
from tests.console.running import running_console

_ROUNDS = 5
_MEBIBYTE = 1 << 20


def main(devices: int = 200, pages: int = 40, zips: int = 20, mebibytes: int = 256) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, root = Path(name), Path(name, "vaults")
        root.mkdir()
        repository = _stored(folder, mebibytes)
        with (
            running_console(folder, "--storage-root", str(root)) as console,
            httpx.Client(base_url=console.address, timeout=120) as http,
        ):
            owner = become_owner(console, http)
            tokens = link_devices(owner, devices)
            address = offer_zip(owner, root, repository, ENVIRONMENT["RESTIC_PASSWORD"])
            load = put_under_load(owner, tokens, pages=pages, rounds=_ROUNDS, zips=[address] * zips)
    answered = 2 * len(load.heartbeat_seconds)
    print(f"{devices} devices, {pages} pages: {answered} reports in {load.lasted_seconds:.1f} s")
    print(f"{zips} zips: {load.zip_bytes / _MEBIBYTE:.0f} MiB")
    print(f"heartbeat: median {load.median_seconds:.2f} s, slowest {load.slowest_seconds:.2f} s")
    print(f"console: {load.peak_bytes / _MEBIBYTE:.0f} MiB, {load.processor_seconds:.1f} CPU s")
    print(f"process of the vault: {load.worker_bytes / _MEBIBYTE:.0f} MiB")


def _stored(folder: Path, mebibytes: int) -> Path:
    """A repository with one file of random bytes."""
    source, repository = folder / "random.bin", folder / "repository"
    with open(source, "wb") as file:
        file.writelines(os.urandom(_MEBIBYTE) for _ in range(mebibytes))
    everboot = (*EVERBOOT, "--repo", str(repository))
    run([*everboot, "init"], ENVIRONMENT, quiet=True)
    run([*everboot, "backup", str(source)], ENVIRONMENT, quiet=True)
    source.unlink()
    return repository


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
