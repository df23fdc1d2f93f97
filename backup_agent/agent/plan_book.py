"""The plans as they are changed: one change at a time, also by several programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from backup_agent.agent.plan import Plan
from backup_agent.agent.plan_file import find_plan, load_plans, save_plans
from backup_agent.errors import UsageError

_BUSY_SECONDS = 20


class PlanBook:
    """Between reading the file and writing it, nobody else writes it."""

    def __init__(self, file: Path, *, lock_file: Path) -> None:
        self._file = file
        self._lock_file = lock_file

    def load(self) -> tuple[Plan, ...]:
        """Raises ``UsageError`` for a damaged file."""
        return load_plans(self._file)

    def find(self, name: str) -> Plan:
        """By name or id. Raises ``UsageError``."""
        return find_plan(self.load(), name)

    def save(self, plan: Plan) -> None:
        """Add it, or change the one with its id.

        Raises ``UsageError`` for a name that another has, and for one that backs up nothing.
        """
        _require_sense(plan)
        with self._changing():
            plans = self.load()
            others = [each for each in plans if each.id != plan.id]
            if any(each.name.casefold() == plan.name.casefold() for each in others):
                raise UsageError(
                    f"There is a plan called {plan.name!r} already.",
                    hint="Choose another name, or remove it first: everboot plan remove.",
                )
            if len(others) == len(plans):
                save_plans((*plans, plan), self._file)
            else:
                save_plans([plan if each.id == plan.id else each for each in plans], self._file)

    def remove(self, name: str) -> None:
        """By name or id. Raises ``UsageError``."""
        with self._changing():
            plans = self.load()
            gone = find_plan(plans, name)
            save_plans([each for each in plans if each.id != gone.id], self._file)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """SQLite's lock is one that every system has, and that dies with its holder."""
        self._lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(
            sqlite3.connect(self._lock_file, timeout=_BUSY_SECONDS, isolation_level=None)
        ) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield


def _require_sense(plan: Plan) -> None:
    if not plan.name.strip():
        raise UsageError("A plan needs a name.")
    if bool(plan.paths) + bool(plan.disks) + plan.machine != 1:
        raise UsageError(
            "A plan backs up either paths, or disks, or the whole machine.",
            hint="everboot plan add NAME PATH …, or --disk DISK, or --machine",
        )
    if plan.retention is not None and plan.retention.is_empty:
        raise UsageError(
            "No rule says what to keep, so everything would go.",
            hint="Name at least one, or keep everything.",
        )
    if plan.on_plug and not plan.location.file_system:
        raise UsageError(
            "Only a plan whose restore points go to a disk runs when that is plugged in.",
            hint="Name the disk's file system.",
        )
