"""Running one plan: from its words to a restore point, or to why there is none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Omitted, Outcome, Ran
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

OpenRepository: TypeAlias = Callable[[Emit, CancelToken], AbstractContextManager[Repository]]
Now: TypeAlias = Callable[[], datetime]


def carry_out(
    plan: Plan,
    open_repository: OpenRepository,
    *,
    folder: Path | None = None,
    emit: Emit,
    cancel: CancelToken,
    now: Now,
) -> Ran:
    """Back up as the plan says. Errors do not leave this function: they are what became of it.

    ``folder`` is where the repository lies, if it is on this computer.
    """
    try:
        with ExitStack() as stack:
            source = _source(plan, folder, stack, emit)
            repository = stack.enter_context(open_repository(emit, cancel))
            settings = BackupSettings(excludes=plan.excludes)
            result = run_backup(repository, source, settings, emit=emit, cancel=cancel)
    except JobCancelledError:
        return Ran(outcome=Outcome.STOPPED, ended_at=now())
    except EverbootError as exc:
        return Ran(outcome=Outcome.FAILED, ended_at=now(), message=exc.message, hint=exc.hint)
    return _ran(plan, result, now())


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
