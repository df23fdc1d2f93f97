"""How long ``everboot ls`` takes for a folder of 100,000 names inside a stored volume.

``python -m benchmarks.list_folder [--names 100000] [--rounds 5] [--folder DIR]`` needs
Debian's ``ntfs-3g``, ``e2fsprogs`` and root: one folder is NTFS's, another ext4's. The
repository is on this computer; its password opens it as strongly as anybody's would, and
starting Python is part of the time, as it is for who waits. The goal is three seconds.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.against_restic import ENVIRONMENT, EVERBOOT
from benchmarks.many_names import MANY, make_ext_volume, make_volume
from benchmarks.measure import Run, RunFailedError, run

_VOLUME = "/disk0/volume0"
_GOAL_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=100_000, help="in the folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where to work")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="everboot-benchmark-") as scratch:
        everboot = (*EVERBOOT, "--repo", str(Path(scratch, "repository")))
        run([*everboot, "init"], ENVIRONMENT)
        for kind, make in (("NTFS", make_volume), ("ext4", make_ext_volume)):
            volume = make(Path(scratch), args.names)
            run([*everboot, "backup", "--disk", str(volume)], ENVIRONMENT)
            listing = (*everboot, "ls", "latest", f"{_VOLUME}/{MANY}")
            _refuse_short_listing(listing, args.names + 1)
            for form, options in (("text", ()), ("JSON", ("--json",))):
                runs = [run([*listing, *options], ENVIRONMENT) for _ in range(args.rounds)]
                print(_line(f"{kind} {form}", runs), flush=True)


def _refuse_short_listing(command: tuple[str, ...], names: int) -> None:
    """A listing that lacks something is quick for no good reason. Warms the caches, too."""
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    listed = len(done.stdout.splitlines())
    if listed != names:
        raise RunFailedError(f"{listed} names were listed instead of {names}.")


def _line(form: str, runs: list[Run]) -> str:
    walls = sorted(run.wall_seconds for run in runs)
    middle = median(walls)
    verdict = "reached" if middle < _GOAL_SECONDS else "MISSED"
    return (
        f"{form}  wall {middle:4.2f} s ({walls[0]:4.2f}-{walls[-1]:4.2f})"
        f"  CPU {median(run.cpu_seconds for run in runs):4.2f} s"
        f"  goal of {_GOAL_SECONDS:.0f} s {verdict}"
    )


if __name__ == "__main__":
    main()
