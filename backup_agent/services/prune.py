"""A prune: plan what no restore point needs any more, show the plan, carry it out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, TypeAlias

from backup_agent.errors import StorageFullError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.ids import SnapshotId
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.prune import execute_prune
from backup_agent.repository.prune_plan import MAX_UNUSED, PrunePlan, plan_prune
from backup_agent.repository.repository import Repository
from backup_agent.services.looking import lock_if_allowed

__all__ = [
    "MAX_UNUSED",
    "OnPrunePlan",
    "PlanAgain",
    "PrunePlan",
    "carry_out",
    "preview_prune",
    "run_prune",
]

OnPrunePlan: TypeAlias = Callable[[PrunePlan], None]


class PlanAgain(Protocol):
    """Makes the plan anew, from what there is by now."""

    def __call__(self, *, copying: bool) -> PrunePlan:
        """As ``plan_prune`` has it."""
        ...


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

    Storage that is read-only is looked at without a lock. Raises what :func:`run_prune` raises.
    """
    with lock_if_allowed(repository, emit):
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

        def plan_again(*, copying: bool = True) -> PrunePlan:
            return plan_prune(
                repository,
                allow_empty=allow_empty,
                max_unused=max_unused,
                copying=copying,
                emit=emit,
                cancel=cancel,
            )

        plan = plan_again()
        on_plan(plan)
        carry_out(plan, repository, plan_again, lock=lock, emit=emit, cancel=cancel)
        return plan


def carry_out(
    plan: PrunePlan,
    repository: Repository,
    plan_again: PlanAgain,
    *,
    lock: RepositoryLock,
    emit: Emit,
    cancel: CancelToken,
) -> None:
    """Execute the plan. A prune copies first and deletes last, for which a full storage has no
    room: there, what needs no copying is deleted first, and then the rest is planned anew.

    Raises what :func:`run_prune` raises.
    """
    try:
        execute_prune(plan, repository, lock=lock, emit=emit, cancel=cancel)
    except StorageFullError:
        smaller = plan_again(copying=False)
        if smaller.freed_bytes <= 0:
            raise
        emit(Notice("The storage is full: what can be deleted without copying goes first."))
        execute_prune(smaller, repository, lock=lock, emit=emit, cancel=cancel)
        rest = plan_again(copying=True)
        execute_prune(rest, repository, lock=lock, emit=emit, cancel=cancel)
