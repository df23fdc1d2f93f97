"""One command, run once: its CPU seconds, wall seconds and peak memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Run:
    """``cpu_seconds`` are user and system together, of all threads and children."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int


class RunFailedError(Exception):
    """A run that failed measures nothing."""


def run(command: Sequence[str], environment: Mapping[str, str], *, quiet: bool = False) -> Run:
    """Run a command to its end, its output thrown away; its messages, too, if ``quiet``.

    Raises ``RunFailedError``.
    """
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    if quiet:
        actions.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0))
    pid = os.posix_spawnp(command[0], list(command), environment, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise RunFailedError(f"{' '.join(command)} ended with {code}.")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work done by both, one right after the other."""

    ours: Run
    theirs: Run


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several pairs. Ratios are theirs to ours, pair by pair: above 1, ours is better."""

    work: str
    pairs: tuple[Pair, ...]

    def ratio_of_cpu(self) -> tuple[float, float, float]:
        """Smallest, median and largest."""
        return _spread([p.theirs.cpu_seconds / p.ours.cpu_seconds for p in self.pairs])

    def ratio_of_wall(self) -> tuple[float, float, float]:
        return _spread([p.theirs.wall_seconds / p.ours.wall_seconds for p in self.pairs])

    def line(self) -> str:
        ours = [p.ours for p in self.pairs]
        theirs = [p.theirs for p in self.pairs]
        low, middle, high = self.ratio_of_cpu()
        return (
            f"{self.work:<24} CPU {middle:4.2f} ({low:4.2f}-{high:4.2f})"
            f"  wall {self.ratio_of_wall()[1]:4.2f}"
            f"  CPU s {median(r.cpu_seconds for r in theirs):6.2f}"
            f" / {median(r.cpu_seconds for r in ours):6.2f}"
            f"  peak MB {max(r.peak_bytes for r in theirs) / 1e6:4.0f}"
            f" / {max(r.peak_bytes for r in ours) / 1e6:4.0f}"
        )


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)
