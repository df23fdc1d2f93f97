"""How long it takes to the first byte of a file inside a stored volume, on S3 and far away.

``python -m benchmarks.first_byte [--milliseconds 50] [--names 100000]`` starts one of the
tests' S3 servers, stores an NTFS volume there, and then sees two files in it through a
proxy that lets every request wait: one at an ordinary path, one in a folder of that many
names. Opening the repository by its password is part of the time, starting Python is not.
The CPU seconds are ours and the proxy's, which runs in the same process. The goal is two
seconds.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path

from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.browse import parse_path
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.repositories import Access, create, opened, reading
from backup_agent.sources.disk import open_disk_source
from benchmarks.many_names import CONTENT, REPORT, SOUGHT, make_volume
from tests.servers.fault_proxy import FaultProxy, Late, fault_proxy
from tests.servers.park import server_park
from tests.servers.running import RunningServer

_PATHS = tuple(f"/disk0/volume0/{path}" for path in (REPORT, SOUGHT))
_GOAL_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", default="swift-s3", help="which of the tests' S3 servers")
    parser.add_argument("--milliseconds", type=int, default=50, help="that a request waits")
    parser.add_argument("--names", type=int, default=100_000, help="in the large folder")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="everboot-benchmark-") as scratch,
        server_park() as park,
    ):
        server = park.door(args.door)
        _store(server, make_volume(Path(scratch), args.names))
        with fault_proxy(server.origin) as proxy:
            for number in range(args.rounds):
                for path in _PATHS:
                    cache = Path(scratch) / f"cache{number}{path.rpartition('/')[2]}"
                    for state in ("cold", "warm"):
                        proxy.calm()
                        proxy.inject(Late(args.milliseconds / 1000), times=math.inf)
                        before = os.times()
                        seconds = _first_byte(server.through(proxy.origin), path, cache)
                        cpu = sum(os.times()[:4]) - sum(before[:4])
                        print(_line(state, path, seconds, cpu, proxy), flush=True)


def _access(server: RunningServer, cache: Path | None = None) -> Access:
    return Access(server.address, lambda: "benchmark", server.environment, cache=cache)


def _store(server: RunningServer, volume: Path) -> None:
    cancel = CancelToken()
    create(_access(server), emit=ignore, cancel=cancel).backend.close()
    source = open_disk_source(current_host(), [str(volume)])
    with opened(_access(server), emit=ignore, cancel=cancel) as repository:
        run_backup(repository, source, BackupSettings(), emit=ignore, cancel=cancel)
    source.close()


def _first_byte(server: RunningServer, path: str, cache: Path) -> float:
    start = time.perf_counter()
    with (
        opened(_access(server, cache), emit=ignore, cancel=CancelToken()) as repository,
        reading(repository, emit=ignore) as reader,
        DeepBrowser(reader, repository.snapshot("latest")) as browser,
    ):
        inside = browser.look_up(parse_path(path)).inside
        if inside is None or next(inside.pieces()) != CONTENT:
            raise RuntimeError(f"{path} is not what was stored.")
        return time.perf_counter() - start


def _line(state: str, path: str, seconds: float, cpu: float, proxy: FaultProxy) -> str:
    requests = len(proxy.seen)
    verdict = "" if seconds < _GOAL_SECONDS else f"  MISSED {_GOAL_SECONDS:.0f} s"
    return (
        f"{state} cache  {seconds:5.2f} s  CPU {cpu:4.2f} s  {requests:3} requests  {path}{verdict}"
    )


if __name__ == "__main__":
    main()
