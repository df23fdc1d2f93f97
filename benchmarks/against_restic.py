"""Backups by Everboot and by stock restic, in turn, on the same data.

``python -m benchmarks.against_restic [--pairs N] [--folder DIR]``; ``RESTIC``
names another restic. Put the folder on a RAM disk (``/dev/shm``) to measure
the programs rather than the disk. Neither uses a cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.data import change_some, incompressible_file, tree_of_small_files
from benchmarks.measure import Comparison, Pair, Run, run

ENVIRONMENT = {**os.environ, "EVERBOOT_PASSWORD": "benchmark", "RESTIC_PASSWORD": "benchmark"}
# Both as they are installed: ours compiled once, not at every start.
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
EVERBOOT = (sys.executable, "-m", "backup_agent", "--no-cache", "--quiet")
_THEIRS = (os.environ.get("RESTIC", "restic"), "--no-cache", "--quiet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where to work")
    parser.add_argument("--file-mib", type=int, default=1024)
    parser.add_argument("--files", type=int, default=120_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="everboot-benchmark-") as scratch:
        bench = Bench(Path(scratch), args.pairs)
        print(f"{args.pairs} pairs; ratios are restic / everboot; seconds and MB too")
        for comparison in bench.comparisons(args.file_mib << 20, args.files):
            print(comparison.line(), flush=True)


class Bench:
    """A scratch folder with data and a repository for each program."""

    def __init__(self, scratch: Path, pairs: int) -> None:
        self._scratch = scratch
        self._pairs = pairs

    def comparisons(self, file_size: int, files: int) -> Iterator[Comparison]:
        file = self._scratch / "incompressible.bin"
        incompressible_file(file, file_size)
        yield self._compare("incompressible file", file, before_each=self._fresh_repositories)
        file.unlink()
        tree = self._scratch / "tree"
        tree_of_small_files(tree, files)
        yield self._compare("small files", tree, before_each=self._fresh_repositories)
        yield self._compare("small files, unchanged", tree, before_each=lambda: None)
        yield self._compare("small files, 1 % changed", tree, lambda: change_some(tree, 0.01))

    def _compare(self, work: str, source: Path, before_each: Callable[[], None]) -> Comparison:
        pairs: list[Pair] = []
        for number in range(self._pairs):
            before_each()
            # Who goes first changes, so that warm caches favour neither.
            if number % 2:
                ours = self._backup(EVERBOOT, "ours", source)
                theirs = self._backup(_THEIRS, "theirs", source)
            else:
                theirs = self._backup(_THEIRS, "theirs", source)
                ours = self._backup(EVERBOOT, "ours", source)
            pairs.append(Pair(ours, theirs))
        return Comparison(work, tuple(pairs))

    def _backup(self, program: tuple[str, ...], name: str, source: Path) -> Run:
        command = [*program, "--repo", str(self._scratch / name), "backup", str(source)]
        return run(command, ENVIRONMENT)

    def _fresh_repositories(self) -> None:
        # Both are made by Everboot: opening one costs what its key's strength asks for, and
        # restic would choose that by how busy the machine is at the moment.
        for name in ("ours", "theirs"):
            repository = self._scratch / name
            shutil.rmtree(repository, ignore_errors=True)
            run([*EVERBOOT, "--repo", str(repository), "init"], ENVIRONMENT)


if __name__ == "__main__":
    main()
