"""A plan: what is backed up, where to, when, on what conditions, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from backup_agent.agent.conditions import Bandwidth, Conditions
from backup_agent.agent.schedule import EveryHours, OnRequest, Schedule
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.model.retention import RetentionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How a plan proves that it can be restored.

    ``read_back_weeks``: each week such a share of the repository's data is read that so many
    weeks get round to all. ``trial_files``: each month so many files of the latest restore point
    are restored as a trial. 0: not at all.
    """

    read_back_weeks: int = 0
    trial_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``paths``, or ``disks``, or the whole ``machine``.

    ``allow_mounted``: also disks in use of which the system has no frozen view, as they come.
    ``id`` is a UUID: runs and consoles name the plan by it, whatever it is called.
    ``on_start``: when the agent starts; ``on_plug``: when its disk is plugged in, at most once a
    day. ``since``: when the schedule began to count; None: the first run is due at once.
    ``retention`` None: everything is kept.
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
    location: StorageLocation = field(default_factory=StorageLocation)
    schedule: Schedule = field(default_factory=OnRequest)
    on_start: bool = False
    on_plug: bool = False
    since: datetime | None = None
    conditions: Conditions = field(default_factory=Conditions)
    bandwidth: tuple[Bandwidth, ...] = ()
    retention: RetentionPolicy | None = None
    checks: Checks = Checks()

    @property
    def is_of_disks(self) -> bool:
        return self.machine or bool(self.disks)

    @property
    def what(self) -> str:
        """A few words for people."""
        if self.machine:
            return "Entire machine"
        return ", ".join(self.disks or self.paths)

    @property
    def tag(self) -> str:
        """Marks the plan's restore points, so that its retention touches no others."""
        return f"plan-{self.id}"

    @property
    def every_hours(self) -> int:
        """As consoles are told how often it runs; 0 for what is not counted in hours."""
        return self.schedule.hours if isinstance(self.schedule, EveryHours) else 0
