"""A check: whether every restore point is there and whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk_check import DiskPointCheck
from backup_agent.model.events import Emit, Progress
from backup_agent.model.finding import Finding, error
from backup_agent.model.snapshot import Snapshot
from backup_agent.model.subset import PackSubset
from backup_agent.repository.check import CheckReport, check_repository
from backup_agent.repository.damage import DamageTracer, Hits
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.repository import Repository
from backup_agent.services.check_disks import DiskPointChecker
from backup_agent.services.looking import lock_if_allowed
from backup_agent.services.stored_disk import DISKS


def run_check(
    repository: Repository,
    *,
    headers: bool = False,
    read_data: PackSubset | None = None,
    emit: Emit,
    cancel: CancelToken,
) -> CheckReport:
    """Look, and tell everything found; :meth:`CheckReport.raise_for_errors` judges.

    What is wrong with the repository's files is followed to the restore points, volumes
    and files that it hits. ``read_data`` takes
    :data:`~backup_agent.model.subset.EVERYTHING` or a share
    out of :func:`~backup_agent.model.subset.parse_subset`. Backups may run at
    the same time; a prune may not. Storage that is read-only is checked
    without a lock. Raises ``RepositoryLockedError``, ``StorageError``,
    ``JobCancelledError``.
    """
    with lock_if_allowed(repository, emit):
        report = check_repository(
            repository, headers=headers, read_data=read_data, emit=emit, cancel=cancel
        )
        return _check_points(repository, report, emit=emit, cancel=cancel)


def _check_points(
    repository: Repository, report: CheckReport, *, emit: Emit, cancel: CancelToken
) -> CheckReport:
    """The report with what each restore point has of its findings, and of its own."""
    findings = list(report.findings)
    disk_points: list[DiskPointCheck] = []

    def tell(done: int, snapshot: Snapshot, volume: str) -> None:
        cancel.raise_if_cancelled()
        where = f"{snapshot.short_id}/{volume}"
        emit(Progress("check disks", done, len(report.points), current=where))

    with BlobReader(repository) as reader:
        checker = DiskPointChecker(reader)
        tracer = DamageTracer(reader, cancel) if report.errors else None
        for done, snapshot in enumerate(report.points):
            cancel.raise_if_cancelled()
            disk_point = checker.check(snapshot, on_volume=partial(tell, done, snapshot))
            # Without a layout nobody knows what a disk's files mean: they are traced like others.
            is_told = disk_point is not None and not disk_point.unknown
            known = DISKS if is_told else None
            hits = tracer.hits(snapshot.tree, passed_over=known) if tracer else Hits()
            damage = tuple(_damage(snapshot, hits))
            findings += damage
            if disk_point is not None:
                findings += disk_point.findings
                disk_points.append(replace(disk_point, findings=disk_point.findings + damage))
    return replace(report, findings=tuple(dict.fromkeys(findings)), disk_points=tuple(disk_points))


def _damage(snapshot: Snapshot, hits: Hits) -> Iterator[Finding]:
    if not hits.count:
        return
    if not all(hits.first):
        yield error(
            f"snapshots/{snapshot.id}",
            f"restore point {snapshot.short_id} is lost: its first list of items is missing or"
            " damaged, so nothing in it can be found",
            hint="What is said of the packs tells how to mend it; everboot forget gives it up.",
        )
        return
    names = ["/" + path.decode("utf-8", "backslashreplace") for path in hits.first]
    more = f" and {hits.count - len(names)} more" if hits.count > len(names) else ""
    yield error(
        f"snapshots/{snapshot.id}",
        f"restore point {snapshot.short_id} is damaged. Of what it holds, these are missing or"
        f" not whole: {', '.join(names)}{more}",
        hint="All else in it can be restored. What is said of the packs tells how to mend it.",
    )
