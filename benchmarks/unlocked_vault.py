"""What browsing an unlocked vault costs: a large zip, twenty of it at once, a large folder.

``python -m benchmarks.unlocked_vault [--gib 5] [--names 100000] [--folder DIR]`` needs twice the
space of the zip. The repository is on this computer: the process is measured, not a network.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.against_restic import ENVIRONMENT, EVERBOOT
from benchmarks.measure import run
from console_ui.unlocked.asking import UnlockedDoor
from console_ui.unlocked.messages import (
    Folder,
    Hits,
    KeepSearch,
    KeepSelection,
    ListFolder,
    Opening,
    Reference,
    Search,
)
from console_ui.unlocked.starting import processes

_PIECE = 8 << 20
_PAGE = 200
_NAME = "vault"
_LOOK_BYTES = 32 << 20
_SLOW_BYTES = 1 << 30
_PAUSE_SECONDS = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=int, default=5, help="random bytes in the zip")
    parser.add_argument("--names", type=int, default=100_000, help="in the folder")
    parser.add_argument("--folder", type=Path, default=None, help="where to work")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="everboot-benchmark-") as scratch:
        home = Path(scratch)
        _fill(home / "source", gib=args.gib, names=args.names)
        repository = home / "repository"
        everboot = (*EVERBOOT, "--repo", str(repository))
        run([*everboot, "init"], ENVIRONMENT)
        run([*everboot, "backup", str(home / "source")], ENVIRONMENT)
        with _unlocked(home, repository) as door:
            point = next((repository / "snapshots").iterdir()).name
            reference = ""
            for name in (home / "source").parts[1:]:
                reference = _entry(door, point, reference, name)
            _list(door, point, _entry(door, point, reference, "many"))
            big = _entry(door, point, reference, "big.bin")
            _search(door, point)
            selection = door.ask(KeepSelection(point, (big,)), Reference).reference
            _zips(door, selection, at_once=1, slow_bytes=_SLOW_BYTES)
            _zips(door, selection, at_once=20)


def _fill(source: Path, *, gib: int, names: int) -> None:
    (source / "many").mkdir(parents=True)
    for number in range(names):
        (source / "many" / f"file {number:07} of many.txt").touch()
    with open(source / "big.bin", "wb") as file:
        file.writelines(os.urandom(_PIECE) for _ in range(gib * (1 << 30) // _PIECE))


@contextmanager
def _unlocked(home: Path, repository: Path) -> Iterator[UnlockedDoor]:
    folder = home / "unlocked"
    folder.mkdir()
    processes.start(
        Opening(
            address=str(repository),
            token="",
            certificate="",
            password=ENVIRONMENT["RESTIC_PASSWORD"],
            folder=str(folder),
            name=_NAME,
            secret=_NAME,
            idle_seconds=900,
            longest_seconds=43_200,
        )
    )
    try:
        yield UnlockedDoor(folder, _NAME, _NAME)
    finally:
        processes.end(_NAME)


def _entry(door: UnlockedDoor, point: str, folder: str, name: str) -> str:
    """The reference of a name among the first of a folder."""
    listed = door.ask(ListFolder(point, folder, 0, _PAGE), Folder)
    return next(each.reference for each in listed.entries if each.name == name)


def _list(door: UnlockedDoor, point: str, folder: str) -> None:
    for words in ("first page", "another page"):
        begin = time.perf_counter()
        listed = door.ask(ListFolder(point, folder, 0, _PAGE), Folder)
        seconds = time.perf_counter() - begin
        print(f"{words} of {listed.total:,} names  {seconds:5.3f} s", flush=True)


def _search(door: UnlockedDoor, point: str) -> None:
    begin = time.perf_counter()
    kept = door.ask(KeepSearch(point, "0099999"), Reference)
    found = door.ask(Search(kept.reference, most=500, longest_seconds=25), Hits)
    seconds = time.perf_counter() - begin
    print(f"search by name, {len(found.entries)} hit  {seconds:5.3f} s", flush=True)


def _zips(door: UnlockedDoor, selection: str, *, at_once: int, slow_bytes: int = 0) -> None:
    """``slow_bytes`` of each are read slowly, the rest as fast as it comes."""
    process = next(each for each in psutil.Process().children() if "unlocked" in each.cmdline()[-1])
    before = process.cpu_times()
    begin = time.perf_counter()
    peaks = asyncio.run(_all(door, selection, process, at_once=at_once, slow_bytes=slow_bytes))
    seconds = time.perf_counter() - begin
    cpu = process.cpu_times()
    used = cpu.user + cpu.system - before.user - before.system
    print(
        f"{at_once} zips at once  wall {seconds:5.1f} s  CPU {used:5.1f} s"
        f"  peak {max(peaks) / (1 << 20):.0f} MiB, of who reads"
        f" {psutil.Process().memory_info().rss / (1 << 20):.0f} MiB",
        flush=True,
    )


async def _all(
    door: UnlockedDoor, selection: str, process: psutil.Process, *, at_once: int, slow_bytes: int
) -> list[int]:
    async with asyncio.TaskGroup() as group:
        reading = [
            group.create_task(_zip(door, selection, process, slow_bytes=slow_bytes))
            for _ in range(at_once)
        ]
    return [each.result() for each in reading]


async def _zip(
    door: UnlockedDoor, selection: str, process: psutil.Process, *, slow_bytes: int
) -> int:
    """The most memory that the process was seen to take."""
    received = looked = peak = 0
    offered = await asyncio.to_thread(door.zip, selection)
    size = offered.head.size
    async for piece in await asyncio.to_thread(offered.take, 0, size):
        received += len(piece)
        if received - looked >= _LOOK_BYTES:
            looked = received
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(_PAUSE_SECONDS if received < slow_bytes else 0)
    assert received == size
    return max(peak, process.memory_info().rss)


if __name__ == "__main__":
    main()
