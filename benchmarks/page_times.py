"""The console's pages with very much on them, over HTTP: who waits for how long, and why.

``python -m benchmarks.page_times [--devices 500] [--points 10000] [--names 100000]``. The CPU
seconds are those of the console and of the process that holds the vault's key together: on a
computer with other work, they are what can be compared.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import psutil

from benchmarks.against_restic import ENVIRONMENT, EVERBOOT
from benchmarks.measure import run
from tests.console.fleet import offer_zip
from tests.console.live_owner import LiveOwner, become_owner
from tests.console.running import REPOSITORY, running_console

_TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--points", type=int, default=10_000, help="restore points of one device")
    parser.add_argument("--names", type=int, default=100_000, help="files in one folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="everboot-benchmark-") as name:
        folder, root = Path(name), Path(name, "vaults")
        root.mkdir()
        repository = _stored(folder, args.names)
        with (
            running_console(folder, "--storage-root", str(root)) as console,
            httpx.Client(base_url=console.address, timeout=120) as http,
        ):
            owner = become_owner(console, http)
            files = offer_zip(owner, root, repository, ENVIRONMENT["RESTIC_PASSWORD"])
            _show_large_folder(owner, files.partition("/zip/")[0])
            device = _add_much(console.data, root, args.devices, args.points)
            for path in (
                "/devices",
                "/devices?words=pc-00",
                f"/devices/{device}",
                f"/devices/{device}/restore",
                f"/devices/{device}/restore?page=400",
                "/api/v1/devices",
                f"/api/v1/devices/{device}/restore-points?offset=9900",
            ):
                _show(owner, path.replace(device, "ID"), partial(http.get, path))


def _show_large_folder(owner: LiveOwner, point: str) -> None:
    """The folder is read at the first look; what comes then has it at hand."""
    page = f"{point}/files"
    while found := _folders(owner, page):
        page = found[0]
    _show(owner, "search by name", partial(_search, owner, point))
    _show(owner, "a page of the large folder", partial(owner.http.get, f"{page}?page=250"))


def _search(owner: LiveOwner, point: str) -> httpx.Response:
    kept = owner.post(f"{point}/search", words="0099999")
    return owner.http.get(kept.headers["Location"])


def _folders(owner: LiveOwner, page: str) -> list[str]:
    """In the list, not in the line that says where one is."""
    text = owner.http.get(page).text
    return re.findall(r'href="(/vaults/[^"]+/files/[0-9a-f]{32})" title=', text)


def _show(owner: LiveOwner, what: str, ask: Callable[[], httpx.Response]) -> None:
    seconds, processor = [], []
    for _ in range(_TIMES):
        used, began = _processor_seconds(owner), time.perf_counter()
        answer = ask()
        assert answer.status_code == 200, answer
        seconds.append(time.perf_counter() - began)
        processor.append(_processor_seconds(owner) - used)
    print(
        f"{what:<46} first {seconds[0]:5.2f} s, {processor[0]:4.2f} CPU s;"
        f" best of the next {min(seconds[1:]):5.2f} s, {min(processor[1:]):4.2f} CPU s",
        flush=True,
    )


def _processor_seconds(owner: LiveOwner) -> float:
    launched = psutil.Process(owner.console.server.process.pid)
    family = [launched, *launched.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)


def _stored(folder: Path, names: int) -> Path:
    many, repository = folder / "many", folder / "repository"
    many.mkdir()
    for number in range(names):
        (many / f"file {number:07}").touch()
    everboot = (*EVERBOOT, "--repo", str(repository))
    run([*everboot, "init"], ENVIRONMENT, quiet=True)
    run([*everboot, "backup", str(many)], ENVIRONMENT, quiet=True)
    return repository


def _add_much(data: Path, root: Path, devices: int, points: int) -> str:
    module = "tests.console.live_many"
    command = [sys.executable, "-m", module, str(data), str(root), str(devices), str(points)]
    return subprocess.check_output(command, cwd=REPOSITORY, text=True).strip()


if __name__ == "__main__":
    main()
