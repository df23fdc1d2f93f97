"""Doing one job for a plan: from its words to what became of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias, assert_never

from backup_agent.agent.agenda import Order
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import JobKind, Omitted, Outcome, Ran, failed
from backup_agent.agent.upkeep import check_share, restore_as_trial, tidy
from backup_agent.errors import EverbootError, JobCancelledError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.services.backup import BackupResult, BackupSettings, run_backup
from backup_agent.services.link.reports import MOST_OMISSIONS
from backup_agent.services.repositories import Repository
from backup_agent.services.sources import (
    DiskSelection,
    FileSelection,
    Source,
    disks_source,
    files_source,
)

Now: TypeAlias = Callable[[], datetime]


class Repositories(Protocol):
    """The way to the repository of a plan."""

    def folder(self, plan: Plan, /) -> Path | None:
        """Where it lies, if it is on this computer."""
        ...

    def opened(
        self, plan: Plan, *, emit: Emit, cancel: CancelToken
    ) -> AbstractContextManager[Repository]:
        """Raises as :func:`~backup_agent.services.repositories.opened`."""
        ...


def carry_out(
    order: Order, repositories: Repositories, *, emit: Emit, cancel: CancelToken, now: Now
) -> Ran:
    """Do it. Errors do not leave this function: they are what became of it."""
    plan = order.plan
    try:
        with ExitStack() as stack:
            source = None
            if order.kind is JobKind.BACKUP:
                # Before anything is asked of the storage: what is not there cannot be backed up.
                source = _source(plan, repositories.folder(plan), stack, emit)
            repository = stack.enter_context(repositories.opened(plan, emit=emit, cancel=cancel))
            if source is not None:
                return _back_up(plan, source, repository, emit=emit, cancel=cancel, now=now)
            return _keep_up(order, repository, emit=emit, cancel=cancel, now=now)
    except JobCancelledError:
        return Ran(outcome=Outcome.STOPPED, ended_at=now())
    except EverbootError as exc:
        return failed(exc, now())


def _back_up(
    plan: Plan,
    source: Source,
    repository: Repository,
    *,
    emit: Emit,
    cancel: CancelToken,
    now: Now,
) -> Ran:
    settings = BackupSettings(tags=(plan.tag,), excludes=plan.excludes)
    result = run_backup(repository, source, settings, emit=emit, cancel=cancel)
    return _ran(plan, result, now())


def _keep_up(
    order: Order, repository: Repository, *, emit: Emit, cancel: CancelToken, now: Now
) -> Ran:
    match order.kind:
        case JobKind.TIDY:
            return tidy(order.plan, repository, emit=emit, cancel=cancel, now=now)
        case JobKind.CHECK:
            return check_share(order.plan, repository, emit=emit, cancel=cancel, now=now)
        case JobKind.TRIAL:
            return restore_as_trial(order.plan, repository, emit=emit, cancel=cancel, now=now)
        case JobKind.BACKUP:
            raise AssertionError("A backup is no upkeep.")
        case _:
            assert_never(order.kind)


def _source(plan: Plan, folder: Path | None, stack: ExitStack, emit: Emit) -> Source:
    if not plan.is_of_disks:
        return files_source(
            FileSelection(
                paths=plan.paths,
                excludes=plan.excludes,
                exclude_caches=plan.exclude_caches,
                one_file_system=plan.one_file_system,
            )
        )
    chosen = disks_source(
        DiskSelection(plan.disks, allow_mounted=plan.allow_mounted, repository=folder)
    )
    for remark in chosen.remarks:
        emit(Notice(remark))
    return stack.enter_context(closing(chosen.source))


def _ran(plan: Plan, result: BackupResult, ended_at: datetime) -> Ran:
    summary, snapshot = result.summary, result.snapshot
    return Ran(
        outcome=Outcome.DONE if result.complete else Outcome.INCOMPLETE,
        ended_at=ended_at,
        files=summary.total_files_processed,
        bytes_read=summary.total_bytes_processed,
        bytes_added=summary.data_added,
        omitted=len(result.omissions),
        omissions=tuple(
            Omitted(each.path.decode(errors="backslashreplace"), each.reason)
            for each in result.omissions[:MOST_OMISSIONS]
        ),
        snapshot=snapshot.id,
        made_at=snapshot.time,
        kind="disk" if plan.is_of_disks else "files",
        paths=tuple(_readable(path) for path in snapshot.paths),
    )


def _readable(path: str) -> str:
    """Names of files may hold bytes that are no text; what keeps them here wants some."""
    return path.encode("utf-8", "backslashreplace").decode()
