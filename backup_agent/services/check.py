"""A check: whether every restore point is there and whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk_check import DiskPointCheck
from backup_agent.model.events import Emit, Progress
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import PackSubset
from backup_agent.repository.check import CheckReport, check_repository
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.check_disks import DiskPointChecker
from backup_agent.services.looking import lock_if_allowed


def run_check(
    repository: Repository,
    *,
    headers: bool = False,
    read_data: PackSubset | None = None,
    emit: Emit,
    cancel: CancelToken,
) -> CheckReport:
    """Look, and tell everything found; :meth:`CheckReport.raise_for_errors` judges.

    ``read_data`` takes :data:`~backup_agent.model.subset.EVERYTHING` or a share
    out of :func:`~backup_agent.model.subset.parse_subset`. Backups may run at
    the same time; a prune may not. Storage that is read-only is checked
    without a lock. Raises ``RepositoryLockedError``, ``StorageError``,
    ``JobCancelledError``.
    """
    with lock_if_allowed(repository, emit):
        report = check_repository(
            repository, headers=headers, read_data=read_data, emit=emit, cancel=cancel
        )
        disk_points = tuple(_check_disks(repository, report.points, emit=emit, cancel=cancel))
    found = (finding for point in disk_points for finding in point.findings)
    findings = tuple(dict.fromkeys((*report.findings, *found)))
    return replace(report, findings=findings, disk_points=disk_points)


def _check_disks(
    repository: Repository, points: Sequence[Snapshot], *, emit: Emit, cancel: CancelToken
) -> Iterator[DiskPointCheck]:
    def tell(done: int, snapshot: Snapshot, volume: str) -> None:
        cancel.raise_if_cancelled()
        where = f"{snapshot.short_id}/{volume}"
        emit(Progress("check disks", files_done=done, files_total=len(points), current=where))

    with BlobReader(repository) as reader:
        checker = DiskPointChecker(reader)
        for done, snapshot in enumerate(points):
            cancel.raise_if_cancelled()
            checked = checker.check(snapshot, on_volume=partial(tell, done, snapshot))
            if checked is not None:
                yield checked
