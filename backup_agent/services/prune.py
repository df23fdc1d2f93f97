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

FIRST_STEP = 32 << 20
"""So much is copied at first where there is no room: about what a console's vault takes beyond its
quota while it is being pruned."""
_SMALLEST_STEP = 1 << 20


class PlanAgain(Protocol):
    """Makes the plan anew, from what there is by now."""

    def __call__(self, *, copy_at_most: int | None) -> PrunePlan:
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

        def plan_again(*, copy_at_most: int | None = None) -> PrunePlan:
            return plan_prune(
                repository,
                allow_empty=allow_empty,
                max_unused=max_unused,
                copy_at_most=copy_at_most,
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
    room: there, it goes on in steps.

    Raises what :func:`run_prune` raises.
    """

    def execute(plan: PrunePlan) -> None:
        execute_prune(plan, repository, lock=lock, emit=emit, cancel=cancel)

    try:
        execute(plan)
    except StorageFullError:
        emit(Notice("The storage is full: what needs no copying is deleted first."))
        _carry_out_in_steps(plan_again, execute, emit)


def _carry_out_in_steps(
    plan_again: PlanAgain, execute: Callable[[PrunePlan], None], emit: Emit
) -> None:
    """Each step deletes what it has emptied before the next one copies, twice as much or, where
    there was no room, half as much. At first nothing is copied at all. Raises
    ``StorageFullError`` where there is no room even for little.
    """
    size, too_much = 0, None
    while True:
        plan = plan_again(copy_at_most=size)
        try:
            execute(plan)
        except StorageFullError as exc:
            if size <= _SMALLEST_STEP:
                raise _no_room_at_all(exc) from exc
            too_much, size = size, size // 2
            continue
        if not plan.put_off:
            return
        if plan.repack:
            too_much = None
        elif too_much is not None and size * 2 >= too_much:
            raise _no_room_at_all()
        size = max(2 * size, FIRST_STEP)
        emit(Notice(f"Packs are emptied in steps; {plan.put_off} are left."))


def _no_room_at_all(exc: StorageFullError | None = None) -> StorageFullError:
    return StorageFullError(
        exc.message if exc else "The storage is full: there is no room to copy a single pack.",
        hint="Packs are freed only by copying what is needed of them, and there is no room for "
        "that. Forget more restore points and prune again, or have the quota raised for a while.",
    )
