"""A prune: plan what no restore point needs any more, show the plan, carry it out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeAlias

from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.model.ids import SnapshotId
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.prune import execute_prune
from backup_agent.repository.prune_plan import MAX_UNUSED, PrunePlan, plan_prune
from backup_agent.repository.repository import Repository

__all__ = ["MAX_UNUSED", "OnPrunePlan", "PrunePlan", "preview_prune", "run_prune"]

OnPrunePlan: TypeAlias = Callable[[PrunePlan], None]


def preview_prune(
    repository: Repository,
    *,
    forgotten: Collection[SnapshotId] = (),
    allow_empty: bool = False,
    max_unused: float = MAX_UNUSED,
    emit: Emit,
    cancel: CancelToken,
) -> PrunePlan:
    """The plan as it would be without the ``forgotten`` restore points; nothing is removed.

    Raises what :func:`run_prune` raises.
    """
    with RepositoryLock(repository):
        return plan_prune(
            repository,
            forgotten=forgotten,
            allow_empty=allow_empty,
            max_unused=max_unused,
            emit=emit,
            cancel=cancel,
        )


def run_prune(
    repository: Repository,
    *,
    allow_empty: bool = False,
    max_unused: float = MAX_UNUSED,
    on_plan: OnPrunePlan,
    emit: Emit,
    cancel: CancelToken,
) -> PrunePlan:
    """Free the space of what nothing needs, with the repository to itself.

    ``on_plan`` is shown the plan before anything changes, and may raise to
    keep it from being carried out. ``allow_empty``: there may be no restore
    point at all, and then no data remain. Raises ``RepositoryLockedError``,
    ``IntegrityError`` (then nothing a restore point needs was removed),
    ``AccessDeniedError``, ``StorageError``, ``JobCancelledError``; whichever
    it is, all restore points are whole and the next prune goes on.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        plan = plan_prune(
            repository, allow_empty=allow_empty, max_unused=max_unused, emit=emit, cancel=cancel
        )
        on_plan(plan)
        execute_prune(plan, repository, lock=lock, emit=emit, cancel=cancel)
        return plan
