"""The demo's repository: made, filled, read and checked, by us and by stock restic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import EVERYTHING
from backup_agent.repository.repository import DamagedFile
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.services.check import run_check
from backup_agent.services.demo.outcome import (
    Checked,
    Created,
    Listed,
    PointListed,
    SeenByRestic,
)
from backup_agent.services.demo.scratch import Scratch
from backup_agent.services.demo.tools import run_tool
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.points import list_points
from backup_agent.services.repositories import Access, BlobReader, Repository, create, opened
from backup_agent.services.repositories import reading as reading_of
from backup_agent.services.sources import Source


class DemoRepository:
    """The one repository of a demo. Methods raise as the services do that they call."""

    def __init__(self, scratch: Scratch, *, emit: Emit, cancel: CancelToken) -> None:
        self._scratch = scratch
        self._emit = emit
        self._cancel = cancel
        self._access = Access(
            address=str(scratch.repository), password=scratch.password, environment={}
        )

    def create(self) -> Created:
        made = create(self._access, emit=self._emit, cancel=self._cancel)
        made.backend.close()
        return Created(made.location, made.config.id, str(self._scratch.password_file))

    def back_up(self, source: Source) -> BackupResult:
        """One restore point. Raises ``IntegrityError`` if anything could not be read."""
        settings = BackupSettings(tags=("demo",))
        with self._opened() as repository:
            result = run_backup(repository, source, settings, emit=self._emit, cancel=self._cancel)
        if not result.complete:
            raise IntegrityError(f"{len(result.omissions)} items could not be backed up.")
        return result

    @contextmanager
    def browsing(self, *points: Snapshot) -> Iterator[tuple[BlobReader, tuple[DeepBrowser, ...]]]:
        """A reader, and a browser for each of the restore points."""
        with self._reading() as (_, reader):
            browsers = tuple(DeepBrowser(reader, point) for point in points)
            try:
                yield reader, browsers
            finally:
                for browser in browsers:
                    browser.close()

    def list_points(self) -> Listed:
        with self._reading() as (repository, reader):
            points = [
                PointListed(p.snapshot.short_id, p.snapshot.time, p.kind.value, p.size)
                for p in list_points(repository, reader, on_damage=self._tell_damage)
            ]
        return Listed(tuple(points))

    def check(self) -> Checked:
        with self._opened() as repository:
            report = run_check(
                repository,
                headers=True,
                read_data=EVERYTHING,
                emit=self._emit,
                cancel=self._cancel,
            )
        report.raise_for_errors()
        return Checked(report.snapshots, report.packs_read)

    def ask_restic(self) -> SeenByRestic:
        """What stock restic makes of it. Raises ``HostError`` if it finds an error."""
        version = run_tool("restic", "version").output.decode().split()[1]
        found = json.loads(self._restic("snapshots", "--json"))
        self._restic("check")
        return SeenByRestic(version, tuple(point["short_id"] for point in found))

    def _restic(self, *command: str) -> bytes:
        where = ("--repo", str(self._scratch.repository))
        password = ("--password-file", str(self._scratch.password_file))
        return run_tool("restic", *where, *password, "--no-cache", *command).output

    def _tell_damage(self, file: DamagedFile) -> None:
        self._emit(Notice(f"A restore point is damaged: {file.reason}"))

    @contextmanager
    def _opened(self) -> Iterator[Repository]:
        with opened(self._access, emit=self._emit, cancel=self._cancel) as repository:
            yield repository

    @contextmanager
    def _reading(self) -> Iterator[tuple[Repository, BlobReader]]:
        with (
            self._opened() as repository,
            reading_of(repository, emit=self._emit) as reader,
        ):
            yield repository, reader
