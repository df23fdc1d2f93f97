"""Bringing back what was protected: files, single folders, zips, and the disk in three sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.browse import TreePath, parse_path, show_path
from backup_agent.services.demo.backed_up import BackedUp
from backup_agent.services.demo.computer import LARGER_SIZE, SMALLER_SIZE
from backup_agent.services.demo.documents import LETTERS
from backup_agent.services.demo.looking import on_windows
from backup_agent.services.demo.outcome import DiskRestored, Restored, TakenOut, Zipped
from backup_agent.services.demo.repository import DemoRepository
from backup_agent.services.demo.scratch import Scratch
from backup_agent.services.demo.windows import LETTERS as WINDOWS_LETTERS
from backup_agent.services.demo.windows import PICTURES
from backup_agent.services.inside import DeepBrowser
from backup_agent.services.repositories import BlobReader
from backup_agent.services.restore import RestoreResult, restore_files
from backup_agent.services.restore_disk import Wishes, execute_disk_restore, plan_disk_restore
from backup_agent.services.zip import zip_files


class BringingBack:
    """Each method needs the backups that it brings back, and says where they are now."""

    def __init__(
        self, scratch: Scratch, repository: DemoRepository, *, emit: Emit, cancel: CancelToken
    ) -> None:
        self._scratch = scratch
        self._repository = repository
        self._emit = emit
        self._cancel = cancel

    # Files

    def zip_letters(self, backup: BackedUp) -> Zipped:
        file = self._scratch.zip
        letters = parse_path(str(self._scratch.documents / LETTERS))
        with self._repository.browsing(backup.files_point) as (reader, (browser,)):
            self._zip(reader, browser, letters, file)
        return Zipped(str(file), file.stat().st_size)

    def take_out_of_windows(self, backup: BackedUp) -> TakenOut:
        """Somebody's pictures as a folder, and their letters as a zip, out of the NTFS volume."""
        pictures, letters = on_windows(PICTURES), on_windows(WINDOWS_LETTERS)
        file = self._scratch.zip_from_windows
        with self._repository.browsing(backup.disk_point) as (reader, (browser,)):
            result = self._restore(reader, browser, self._scratch.from_windows, [pictures])
            self._zip(reader, browser, letters, file)
        return TakenOut(
            folder=show_path(pictures),
            path=str(self._scratch.from_windows),
            files=result.files,
            bytes=result.bytes,
            zipped_folder=show_path(letters),
            zip=str(file),
            zip_bytes=file.stat().st_size,
        )

    def restore_documents(self, backups: Sequence[BackedUp]) -> Restored:
        restored = 0
        for backup in backups:
            with self._repository.browsing(backup.files_point) as (reader, (browser,)):
                target = self._scratch.restored / backup.files_point.short_id
                restored += self._restore(reader, browser, target).bytes
        paths = (self._scratch.restored_documents(b.files_point.short_id) for b in backups)
        return Restored(tuple(map(str, paths)), restored)

    def _restore(
        self,
        reader: BlobReader,
        browser: DeepBrowser,
        target: Path,
        selection: Sequence[TreePath] = (),
    ) -> RestoreResult:
        emit, cancel = self._emit, self._cancel
        return restore_files(reader, browser, target, selection=selection, emit=emit, cancel=cancel)

    def _zip(self, reader: BlobReader, browser: DeepBrowser, folder: TreePath, file: Path) -> None:
        emit, cancel = self._emit, self._cancel
        with open(file, "wb") as sink:
            zip_files(reader, browser, sink, selection=[folder], emit=emit, cancel=cancel)

    # The disk

    def restore_disk(self, backup: BackedUp) -> DiskRestored:
        return self._restore_disk(backup, self._scratch.same_disk)

    def restore_to_larger(self, backup: BackedUp) -> DiskRestored:
        target = _empty_disk(self._scratch.larger_disk, LARGER_SIZE)
        return self._restore_disk(backup, target, grow=True)

    def restore_to_smaller(self, backup: BackedUp) -> DiskRestored:
        target = _empty_disk(self._scratch.smaller_disk, SMALLER_SIZE)
        return self._restore_disk(backup, target)

    def _restore_disk(self, backup: BackedUp, target: Path, *, grow: bool = False) -> DiskRestored:
        with self._repository.browsing(backup.disk_point) as (_, (browser,)):
            job = plan_disk_restore(browser, "disk0", target, wishes=Wishes(grow=grow))
            execute_disk_restore(job, verify=False, emit=self._emit, cancel=self._cancel)
        return DiskRestored(str(target), job.plan.before, job.plan.after)


def _empty_disk(image: Path, size: int) -> Path:
    with open(image, "xb") as file:
        file.truncate(size)
    return image
