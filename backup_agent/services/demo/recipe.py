"""The story that the demo tells, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import IntegrityError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import EVERYTHING
from backup_agent.repository.repository import DamagedFile
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.browse import Found, PointBrowser, TreePath, parse_path, show_path
from backup_agent.services.check import run_check
from backup_agent.services.demo.computer import change_computer, make_computer, require_tools
from backup_agent.services.demo.documents import (
    ADDED,
    DELETED,
    EDITED,
    LETTERS,
    PHOTOS,
    change_documents,
    make_documents,
)
from backup_agent.services.demo.outcome import (
    Browsed,
    Changed,
    Checked,
    Created,
    Listed,
    Made,
    Outcome,
    PointListed,
    PointMade,
    Proved,
    Restored,
    Zipped,
)
from backup_agent.services.demo.proof import (
    Picture,
    require_same,
    require_same_hash,
    require_zip,
    sha256_of,
    take_picture,
)
from backup_agent.services.demo.scratch import Scratch
from backup_agent.services.diff import diff_points
from backup_agent.services.find import find_files
from backup_agent.services.points import list_points
from backup_agent.services.repositories import Access, BlobReader, Repository, create, opened
from backup_agent.services.repositories import reading as reading_of
from backup_agent.services.restore import restore_files
from backup_agent.services.restore_disk import execute_disk_restore, plan_disk_restore
from backup_agent.services.sources import (
    DiskSelection,
    FileSelection,
    Source,
    disks_source,
    files_source,
)
from backup_agent.services.zip import zip_files

# Each demo makes the same computer, so that two runs can be compared.
_SEED, _CHANGE_SEED = 1, 2
_PATTERN = "*.jpg"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``name`` is for programs, ``title`` for people."""

    name: str
    title: str
    do: Callable[[], Outcome]


@dataclass(frozen=True, slots=True)
class Backup:
    """One of the two backups: what was there, and the restore points made of it."""

    documents: Picture
    disk_sha256: str
    points: list[Snapshot]

    @property
    def files_point(self) -> Snapshot:
        return self.points[0]

    @property
    def disk_point(self) -> Snapshot:
        return self.points[1]


class Demo:
    """One run of the demo. :meth:`prepare` first, then each of :meth:`steps` once, in order."""

    def __init__(self, folder: Path, *, emit: Emit, cancel: CancelToken) -> None:
        self.scratch = Scratch(folder)
        self.backups: list[Backup] = []
        self._emit = emit
        self._cancel = cancel

    def prepare(self, *, again: bool) -> None:
        """Raises ``UsageError`` for a folder that is no demo's, ``UnsupportedError`` where a
        program is missing, ``TargetError``.
        """
        require_tools()
        self.scratch.prepare(again=again)

    def steps(self) -> tuple[Step, ...]:
        """Each may raise any ``EverbootError``; a proof that fails is an ``IntegrityError``."""
        return (
            Step("documents", "Make some documents to protect", self._make_documents),
            Step("computer", "Make a small computer to protect", self._make_computer),
            Step("create", "Create an encrypted repository", self._create),
            Step("backup_documents", "Back up the documents", self._back_up_documents),
            Step("backup_disk", "Back up the whole disk", self._back_up_disk),
            Step("change", "Work on: some things change", self._change),
            Step("backup_documents_again", "Back up the documents again", self._back_up_documents),
            Step("backup_disk_again", "Back up the whole disk again", self._back_up_disk),
            Step("points", "List the restore points", self._list),
            Step("browse", "Look into them", self._browse),
            Step("zip", "Take the letters out as one zip", self._zip),
            Step("restore_documents", "Restore both states of the documents", self._restore_files),
            Step("restore_disk", "Restore both states of the disk", self._restore_disks),
            Step("prove", "Prove by SHA-256 that all came back as it was", self._prove),
            Step("check", "Check the repository, every byte of it", self._check),
        )

    def restored_documents(self, backup: Backup) -> Path:
        """Files come back with the whole path they had."""
        inside = self.scratch.documents.relative_to("/")
        return self.scratch.restored / backup.files_point.short_id / inside

    def restored_disk(self, backup: Backup) -> Path:
        return self.scratch.restored / f"disk-{backup.disk_point.short_id}.img"

    # Something to protect

    def _make_documents(self) -> Made:
        made = make_documents(self.scratch.documents, seed=_SEED)
        return Made(str(self.scratch.documents), made.bytes, made.files)

    def _make_computer(self) -> Made:
        size = make_computer(self.scratch.disk, seed=_SEED)
        return Made(str(self.scratch.disk), size)

    def _change(self) -> Changed:
        change_documents(self.scratch.documents)
        written = change_computer(self.scratch.disk, seed=_CHANGE_SEED)
        total = self.scratch.disk.stat().st_size
        return Changed(EDITED, ADDED, DELETED, written, total)

    # Backups

    def _create(self) -> Created:
        repository = create(self._access(), emit=self._emit, cancel=self._cancel)
        repository.backend.close()
        return Created(repository.location, repository.config.id, str(self.scratch.password_file))

    def _back_up_documents(self) -> PointMade:
        """The truth to compare with is written down before the backup reads anything."""
        truth = take_picture(self.scratch.documents)
        self.backups.append(Backup(truth, sha256_of(self.scratch.disk), []))
        return self._back_up(files_source(FileSelection((str(self.scratch.documents),))))

    def _back_up_disk(self) -> PointMade:
        disk = disks_source(DiskSelection((str(self.scratch.disk),))).source
        try:
            return self._back_up(disk)
        finally:
            disk.close()

    def _back_up(self, source: Source) -> PointMade:
        settings = BackupSettings(tags=("demo",))
        with opened(self._access(), emit=self._emit, cancel=self._cancel) as repository:
            result = run_backup(repository, source, settings, emit=self._emit, cancel=self._cancel)
        if not result.complete:
            raise IntegrityError(f"{len(result.omissions)} items could not be backed up.")
        self.backups[-1].points.append(result.snapshot)
        summary = result.summary
        return PointMade(
            id=result.snapshot.short_id,
            files=summary.total_files_processed,
            bytes=summary.total_bytes_processed,
            bytes_added=summary.data_added,
            bytes_stored=summary.data_added_packed,
        )

    # Looking

    def _list(self) -> Listed:
        with self._reading() as (repository, reader):
            points = [
                PointListed(p.snapshot.short_id, p.snapshot.time, p.kind.value, p.size)
                for p in list_points(repository, reader, on_damage=self._tell_damage)
            ]
        return Listed(tuple(points))

    def _browse(self) -> Browsed:
        old, new = (backup.files_point for backup in self.backups)
        photos = self._stored(PHOTOS)
        with self._reading() as (_, reader):
            before, now = PointBrowser(reader, old), PointBrowser(reader, new)
            found = find_files(now.walk(), _PATTERN, ignore_case=True, cancel=self._cancel)
            differences = diff_points(before, now, cancel=self._cancel)
            return Browsed(
                folder=show_path(photos),
                items=len(now.list_folder(photos)),
                pattern=_PATTERN,
                found=sum(1 for step in found if isinstance(step, Found)),
                differences=tuple(
                    f"{d.change.value} {show_path(d.path[len(photos) - 1 :])[1:]}"
                    for d in differences
                ),
            )

    # Taking out

    def _zip(self) -> Zipped:
        with self._reading() as (_, reader), open(self.scratch.zip, "wb") as sink:
            browser = PointBrowser(reader, self.backups[-1].files_point)
            selection = [self._stored(LETTERS)]
            zip_files(
                reader, browser, sink, selection=selection, emit=self._emit, cancel=self._cancel
            )
        return Zipped(str(self.scratch.zip), self.scratch.zip.stat().st_size)

    def _restore_files(self) -> Restored:
        restored = 0
        with self._reading() as (_, reader):
            for backup in self.backups:
                result = restore_files(
                    reader,
                    PointBrowser(reader, backup.files_point),
                    self.scratch.restored / backup.files_point.short_id,
                    emit=self._emit,
                    cancel=self._cancel,
                )
                restored += result.bytes
        return Restored(tuple(str(self.restored_documents(b)) for b in self.backups), restored)

    def _restore_disks(self) -> Restored:
        restored = 0
        with self._reading() as (_, reader):
            for backup in self.backups:
                browser = PointBrowser(reader, backup.disk_point)
                target = self.restored_disk(backup)
                job = plan_disk_restore(browser, "disk0", target, overwrite=False)
                execute_disk_restore(job, verify=False, emit=self._emit, cancel=self._cancel)
                restored += job.size
        return Restored(tuple(str(self.restored_disk(b)) for b in self.backups), restored)

    # Proof

    def _prove(self) -> Proved:
        for backup in self.backups:
            require_same(backup.documents, take_picture(self.restored_documents(backup)))
            require_same_hash("The disk", backup.disk_sha256, self.restored_disk(backup))
        letters = self._letters(self.backups[-1].documents)
        require_zip(self.scratch.zip, letters)
        return Proved(
            items=sum(len(backup.documents) for backup in self.backups),
            disks=len(self.backups),
            zip_members=len(letters),
        )

    def _check(self) -> Checked:
        with opened(self._access(), emit=self._emit, cancel=self._cancel) as repository:
            report = run_check(
                repository,
                headers=True,
                read_data=EVERYTHING,
                emit=self._emit,
                cancel=self._cancel,
            )
        report.raise_for_errors()
        return Checked(report.snapshots, report.packs_read)

    def _letters(self, documents: Picture) -> dict[str, str]:
        """Name in the zip -> SHA-256, for every letter in a picture of the documents."""
        inside = str(self.scratch.documents).strip("/")
        return {
            f"{inside}/{path.decode()}": likeness.sha256
            for path, likeness in documents.items()
            if path.startswith(LETTERS.encode() + b"/")
        }

    # The repository

    def _access(self) -> Access:
        return Access(
            address=str(self.scratch.repository), password=self.scratch.password, environment={}
        )

    def _tell_damage(self, file: DamagedFile) -> None:
        self._emit(Notice(f"A restore point is damaged: {file.reason}"))

    @contextmanager
    def _reading(self) -> Iterator[tuple[Repository, BlobReader]]:
        with (
            opened(self._access(), emit=self._emit, cancel=self._cancel) as repository,
            reading_of(repository, emit=self._emit) as reader,
        ):
            yield repository, reader

    def _stored(self, name: str) -> TreePath:
        """Where something of the documents stands in a restore point."""
        return parse_path(str(self.scratch.documents / name))
