"""A computer for agents to work on: folders, a repository, and a clock that tests set."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backup_agent.agent.assembly import Outside, Parts, assembled, portable, work_here
from backup_agent.agent.conditions import Circumstances
from backup_agent.agent.console_link import console_channel
from backup_agent.agent.desk import Desk, DeskState, Secrets, Told
from backup_agent.agent.own_desk import OwnDesk
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import RunQuery, RunView
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.services.repositories import Access

START = datetime(2030, 3, 1, 12, tzinfo=UTC)
PATIENCE_SECONDS = 60
SECRETS = Secrets("correct horse")


@dataclass
class Workplace:
    """``mounts``: where the file systems with these ids are, as tests plug them in."""

    home: Path
    now: datetime = START
    circumstances: Circumstances = field(default_factory=Circumstances)
    mounts: dict[str, Path] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "EVERBOOT_STATE_DIR": str(self.home / "state"),
            "EVERBOOT_PLANS_FILE": str(self.home / "settings" / "plans.json"),
            "EVERBOOT_SECRETS": "file",
            **self.settings,
        }

    @property
    def location(self) -> StorageLocation:
        return StorageLocation(address=str(self.home / "repository"))

    def plan(self, name: str = "Projects", **changes: object) -> Plan:
        """Of a folder with one file in it."""
        source = self.home / "projects"
        source.mkdir(exist_ok=True)
        (source / "plan.txt").write_text("a roof")
        made = Plan(id=f"id-{name}", name=name, paths=(str(source),), location=self.location)
        return replace(made, **changes)  # type: ignore[arg-type] # any field of a plan

    def pass_time(self, **spans: float) -> None:
        self.now += timedelta(**spans)

    def outside(self) -> Outside:
        def default_access(address: str) -> Access:
            return Access(address, _no_password, self.environment)

        return Outside(
            environment=self.environment,
            default_access=default_access,
            now=lambda: self.now,
            zone=lambda: UTC,
            circumstances=lambda: self.circumstances,
            disk_folder=self.mounts.get,
            emit=ignore,
            work_with=lambda repositories: work_here(repositories, now=lambda: self.now),
            console_channel=lambda: console_channel(self.environment),
        )

    @contextmanager
    def portable(self) -> Iterator[OwnDesk]:
        with portable(self.outside()) as desk:
            yield desk

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """An agent that does not run by itself."""
        with assembled(self.outside(), cancel=CancelToken()) as parts:
            yield parts


class Ear:
    """Hears what a desk tells, and waits for a state in it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self.unsubscribe = desk.subscribe(self._told.put)

    def told(self) -> Told:
        return self._told.get(timeout=PATIENCE_SECONDS)

    def until_idle(self, *, runs: int) -> tuple[RunView, ...]:
        """Once so many runs have ended and none lasts: all of them, newest first."""
        while True:
            ended = self._desk.runs(RunQuery()).runs
            if len(ended) >= runs and all(run.ran for run in ended):
                return ended
            self.told()

    def until_running(self) -> DeskState:
        while True:
            state = self._desk.state()
            if state.running:
                return state
            self.told()


def _no_password() -> str:
    raise UsageError("The password is needed.")
