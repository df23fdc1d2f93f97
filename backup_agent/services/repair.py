"""Repairing the index: compare it with the packs, show the plan, carry it out."""

from __future__ import annotations

from collections.abc import Callable

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repair import RepairPlan, execute_repair_index, plan_repair_index
from backup_agent.repository.repository import Repository

__all__ = ["RepairPlan", "preview_repair_index", "run_repair_index"]


def preview_repair_index(
    repository: Repository, *, read_packs: bool = False, emit: Emit, cancel: CancelToken
) -> RepairPlan:
    """What a repair would do."""
    with RepositoryLock(repository):
        return plan_repair_index(repository, read_packs=read_packs, emit=emit, cancel=cancel)


def run_repair_index(
    repository: Repository,
    *,
    read_packs: bool = False,
    on_plan: Callable[[RepairPlan], None],
    emit: Emit,
    cancel: CancelToken,
) -> RepairPlan:
    """Make the index true, with the repository to itself; its plan tells what is lost.

    ``read_packs``: believe no pack before every byte of it was read.
    ``on_plan`` is shown the plan before anything changes, and may raise.
    Raises ``RepositoryLockedError``, ``IntegrityError``, ``AccessDeniedError``,
    ``StorageError``, ``JobCancelledError``.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        plan = plan_repair_index(repository, read_packs=read_packs, emit=emit, cancel=cancel)
        on_plan(plan)
        execute_repair_index(plan, repository, lock=lock, emit=emit, cancel=cancel)
        return plan
