"""The story that the demo tells, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.backup import BackupResult
from backup_agent.services.demo.backed_up import BackedUp
from backup_agent.services.demo.bringing_back import BringingBack
from backup_agent.services.demo.computer import (
    DISK_SIZE,
    PAGE_FILE_SIZE,
    change_computer,
    make_computer,
)
from backup_agent.services.demo.disk_proof import read_disk
from backup_agent.services.demo.documents import (
    ADDED,
    DELETED,
    EDITED,
    change_documents,
    make_documents,
)
from backup_agent.services.demo.looking import browse_documents, browse_volume
from backup_agent.services.demo.outcome import (
    Browsed,
    BrowsedInside,
    Changed,
    ComputerReady,
    DocumentsReady,
    Outcome,
    PointMade,
)
from backup_agent.services.demo.proof import take_picture
from backup_agent.services.demo.proving import prove
from backup_agent.services.demo.repository import DemoRepository
from backup_agent.services.demo.scratch import Scratch
from backup_agent.services.demo.tools import require_tools
from backup_agent.services.sources import (
    DiskSelection,
    FileSelection,
    Source,
    disks_source,
    files_source,
)

# Each demo makes the same computer, so that two runs can be compared.
_SEED, _CHANGE_SEED = 1, 2


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``name`` is for programs, ``title`` for people."""

    name: str
    title: str
    do: Callable[[], Outcome]


class Demo:
    """One run of the demo. :meth:`prepare` first, then each of :meth:`steps` once, in order."""

    def __init__(self, folder: Path, *, emit: Emit, cancel: CancelToken) -> None:
        self.scratch = Scratch(folder)
        self.backups: list[BackedUp] = []
        self._repository = DemoRepository(self.scratch, emit=emit, cancel=cancel)
        self._back = BringingBack(self.scratch, self._repository, emit=emit, cancel=cancel)
        self._cancel = cancel

    @property
    def newest(self) -> BackedUp:
        return self.backups[-1]

    def prepare(self, *, again: bool) -> None:
        """Raises ``UsageError`` for a folder that is no demo's, ``UnsupportedError`` where a
        program is missing, ``TargetError``.
        """
        require_tools()
        self.scratch.prepare(again=again)

    def steps(self) -> tuple[Step, ...]:
        """Each may raise any ``EverbootError``; a proof that fails is an ``IntegrityError``."""
        return (*self._protect(), *self._look(), *self._bring_back())

    def _protect(self) -> tuple[Step, ...]:
        return (
            Step("documents", "Make some documents to protect", self._make_documents),
            Step("computer", "Make a small computer to protect", self._make_computer),
            Step("create", "Create an encrypted repository", self._repository.create),
            Step("backup_documents", "Back up the documents", self._back_up_documents),
            Step("backup_disk", "Back up the computer's whole disk", self._back_up_disk),
            Step("change", "Work for a day: some things change", self._change),
            Step("backup_documents_again", "Back up the documents again", self._back_up_documents),
            Step("backup_disk_again", "Back up the whole disk again", self._back_up_disk),
        )

    def _look(self) -> tuple[Step, ...]:
        repository = self._repository
        return (
            Step("points", "List the restore points", repository.list_points),
            Step("restic", "Ask stock restic, which knows nothing of us", repository.ask_restic),
            Step("browse", "Look into the documents", self._browse),
            Step("browse_disk", "Look inside the disk's NTFS volume", self._browse_inside),
        )

    def _bring_back(self) -> tuple[Step, ...]:
        back = self._back
        return (
            Step(
                "zip",
                "Take the letters out as one zip",
                lambda: back.zip_letters(self.newest),
            ),
            Step(
                "take_out",
                "Take pictures and letters out of the NTFS volume",
                lambda: back.take_out_of_windows(self.newest),
            ),
            Step(
                "restore_documents",
                "Restore both states of the documents",
                lambda: back.restore_documents(self.backups),
            ),
            Step(
                "restore_disk",
                "Restore the disk as it was at first",
                lambda: back.restore_disk(self.backups[0]),
            ),
            Step(
                "restore_larger",
                "Restore the newest state to a larger disk",
                lambda: back.restore_to_larger(self.newest),
            ),
            Step(
                "restore_smaller",
                "And to a smaller one",
                lambda: back.restore_to_smaller(self.newest),
            ),
            Step(
                "prove",
                "Prove by SHA-256 that all came back as it was",
                lambda: prove(self.scratch, self.backups),
            ),
            Step("check", "Check the repository, every byte of it", self._repository.check),
        )

    # Something to protect

    def _make_documents(self) -> DocumentsReady:
        made = make_documents(self.scratch.documents, seed=_SEED)
        return DocumentsReady(str(self.scratch.documents), made.bytes, made.files)

    def _make_computer(self) -> ComputerReady:
        make_computer(self.scratch.disk, seed=_SEED)
        return ComputerReady(str(self.scratch.disk), DISK_SIZE, PAGE_FILE_SIZE)

    def _change(self) -> Changed:
        change_documents(self.scratch.documents)
        work = change_computer(self.scratch.disk, seed=_CHANGE_SEED)
        total = self.newest.disk_bytes
        return Changed(EDITED, ADDED, DELETED, work.paths, work.bytes_written, total)

    # Backups

    def _back_up_documents(self) -> PointMade:
        """The truth to compare with is written down before the backup reads anything."""
        documents = take_picture(self.scratch.documents)
        disk = read_disk(self.scratch.disk, self.scratch.room)
        self.backups.append(BackedUp(documents, disk))
        source = files_source(FileSelection((str(self.scratch.documents),)))
        made = self._back_up(source)
        return _made(made, files=made.summary.total_files_processed)

    def _back_up_disk(self) -> PointMade:
        disk = disks_source(DiskSelection((str(self.scratch.disk),))).source
        try:
            return _made(self._back_up(disk), left_out=disk.left_out)
        finally:
            disk.close()

    def _back_up(self, source: Source) -> BackupResult:
        result = self._repository.back_up(source)
        self.newest.points.append(result.snapshot)
        return result

    # Looking

    def _browse(self) -> Browsed:
        points = (backup.files_point for backup in self.backups)
        with self._repository.browsing(*points) as (_, (before, now)):
            return browse_documents(before, now, self.scratch.documents, cancel=self._cancel)

    def _browse_inside(self) -> BrowsedInside:
        with self._repository.browsing(self.newest.disk_point) as (_, (now,)):
            return browse_volume(now)


def _made(backup: BackupResult, *, files: int = 0, left_out: tuple[str, ...] = ()) -> PointMade:
    return PointMade(
        id=backup.snapshot.short_id,
        files=files,
        bytes=backup.summary.total_bytes_processed,
        bytes_added=backup.summary.data_added,
        bytes_stored=backup.summary.data_added_packed,
        left_out=left_out,
    )
