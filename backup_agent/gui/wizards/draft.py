"""A plan while it is being made: what every step of the assistant adds to. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from pathlib import Path

from backup_agent.agent.desk import Secrets
from backup_agent.agent.plan import Checks, Plan
from backup_agent.agent.schedule import Daily
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.model.retention import RetentionPolicy
from backup_agent.qtkit.language import tr

SHORT = RetentionPolicy(daily=14)
BALANCED = RetentionPolicy(daily=30, monthly=12)
LONG = RetentionPolicy(daily=90, monthly=24, yearly=7)
PROVING = Checks(read_back_weeks=8, trial_files=200)

_EVENING = time(18)
_PROPOSED = ("Documents", "Desktop", "Pictures")


@dataclass(frozen=True, slots=True)
class Draft:
    """``secrets`` None: as they are. ``makes_repository``: there is none yet at the location."""

    plan: Plan
    is_new: bool
    secrets: Secrets | None = field(default=None, repr=False)
    makes_repository: bool = False


def new_draft(*, of_machine: bool, home: Path, now: datetime) -> Draft:
    """What most people want: every evening, kept for a month and by months for a year."""
    paths = () if of_machine else proposed_folders(home)
    plan = Plan(
        id=str(uuid.uuid4()),
        name="",
        machine=of_machine,
        paths=paths,
        exclude_caches=not of_machine,
        schedule=Daily(at=_EVENING),
        since=now,
        retention=BALANCED,
        checks=PROVING,
    )
    return Draft(plan, is_new=True)


def proposed_folders(home: Path) -> tuple[str, ...]:
    """Those of the usual ones that are there; the home folder where none is."""
    found = tuple(str(home / name) for name in _PROPOSED if (home / name).is_dir())
    return found or (str(home),)


def named(draft: Draft, taken: Sequence[str]) -> Draft:
    """With a name, if it has none: after what it backs up, and unlike those ``taken``."""
    plan = draft.plan
    if plan.name:
        return draft
    if plan.machine:
        base = tr("Entire machine")
    elif plan.disks:
        base = ", ".join(Path(disk).name for disk in plan.disks)
    else:
        base = ", ".join(Path(path).name or path for path in plan.paths[:3])
    known = {name.casefold() for name in taken}
    name, number = base, 1
    while name.casefold() in known:
        number += 1
        name = f"{base} {number}"
    return replace(draft, plan=replace(plan, name=name))


def at_location(draft: Draft, location: StorageLocation, secrets: Secrets | None) -> Draft:
    return replace(draft, plan=replace(draft.plan, location=location), secrets=secrets)
