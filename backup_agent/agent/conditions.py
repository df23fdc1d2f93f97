"""On what conditions a plan runs by itself, and how fast it may go when. Pure.

What nobody can tell (a computer without a battery, a system that does not say) never keeps a
backup from running. Who asks for a backup gets it, whatever the conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """``idle_minutes`` 0: whether or not somebody is working."""

    not_on_battery: bool = False
    not_on_metered: bool = False
    idle_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How things are now; None is unknown."""

    on_battery: bool | None = None
    metered: bool | None = None
    idle_seconds: float | None = None


class Unmet(StrEnum):
    """What a plan is waiting for."""

    MAINS = "mains"
    UNMETERED = "unmetered"
    IDLE = "idle"
    DISK = "disk"
    """The disk that its restore points go to is not there."""


def unmet(conditions: Conditions, now: Circumstances) -> Unmet | None:
    """The first condition that does not hold."""
    if conditions.not_on_battery and now.on_battery:
        return Unmet.MAINS
    if conditions.not_on_metered and now.metered:
        return Unmet.UNMETERED
    wanted_seconds = conditions.idle_minutes * 60
    if wanted_seconds and now.idle_seconds is not None and now.idle_seconds < wanted_seconds:
        return Unmet.IDLE
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Between two times of day (over midnight, too; equal: always). KiB/s, 0 for no limit."""

    begin: time = time()
    end: time = time()
    upload: int = 0
    download: int = 0

    def holds_at(self, clock: time) -> bool:
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return self.begin == self.end or clock >= self.begin or clock < self.end


def bandwidth_at(limits: Sequence[Bandwidth], clock: time) -> Bandwidth:
    """The first that holds; none: no limit."""
    return next((limit for limit in limits if limit.holds_at(clock)), Bandwidth())
