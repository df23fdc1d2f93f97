"""A plan: what is backed up, and how often. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``paths``, or ``disks``, or the whole ``machine``. ``every_hours`` 0: only when asked.

    ``allow_mounted``: also disks in use of which the system has no frozen view, as they come.
    ``id`` is a UUID: runs and consoles name the plan by it, whatever it is called.
    """

    id: str
    name: str
    paths: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    exclude_caches: bool = False
    one_file_system: bool = False
    disks: tuple[str, ...] = ()
    machine: bool = False
    allow_mounted: bool = False
    every_hours: int = 0

    @property
    def is_of_disks(self) -> bool:
        return self.machine or bool(self.disks)

    @property
    def what(self) -> str:
        """A few words for people."""
        if self.machine:
            return "Entire machine"
        return ", ".join(self.disks or self.paths)


def next_run(plan: Plan, last_started: datetime | None, *, now: datetime) -> datetime | None:
    """When it is due; the past for one that was missed, None for one that waits to be asked.

    A start that lies in the future (the clock was put back) counts as none.
    """
    if not plan.every_hours:
        return None
    if last_started is None or last_started > now:
        return now
    return last_started + timedelta(hours=plan.every_hours)
