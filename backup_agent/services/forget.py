"""Forgetting restore points: by a policy, or by their ids; and pruning, when asked to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, assert_never

from backup_agent.errors import IntegrityError, UsageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, Notice
from backup_agent.model.ids import SHORT_ID_LENGTH, SnapshotId
from backup_agent.model.retention import (
    HOST_AND_PATHS,
    ForgetPlan,
    GroupBy,
    GroupKey,
    GroupPlan,
    RetentionPolicy,
    TagList,
    plan_forget,
)
from backup_agent.model.snapshot import Snapshot
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.prune_plan import MAX_UNUSED, PrunePlan, plan_prune
from backup_agent.repository.reindex import remove_files
from backup_agent.repository.repository import DamagedFile, Repository
from backup_agent.services.looking import lock_if_allowed
from backup_agent.services.prune import OnPrunePlan, carry_out
from backup_agent.storage.backend import FileKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PointFilter:
    """Which restore points are meant; what is empty does not narrow.

    ``hosts``: of one of these. ``tags``: with all tags of at least one list.
    ``paths``: with every one of these paths.
    """

    hosts: tuple[str, ...] = ()
    tags: tuple[TagList, ...] = ()
    paths: tuple[str, ...] = ()

    def accepts(self, snapshot: Snapshot) -> bool:
        return (
            (not self.hosts or snapshot.hostname in self.hosts)
            and (not self.tags or any(set(tags) <= set(snapshot.tags) for tags in self.tags))
            and set(self.paths) <= set(snapshot.paths)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetByPolicy:
    """Forget what no rule keeps, among those the filter accepts."""

    policy: RetentionPolicy
    filter: PointFilter = PointFilter()
    group_by: frozenset[GroupBy] = HOST_AND_PATHS


@dataclass(frozen=True, slots=True)
class ForgetPoints:
    """Forget exactly these; each an id or the start of one."""

    ids: tuple[str, ...]


ForgetRequest: TypeAlias = ForgetByPolicy | ForgetPoints


@dataclass(frozen=True, slots=True)
class ForgetDecision:
    """What to show, and then to carry out. ``damaged`` are points named by their ids whose
    files cannot be read: they can be removed all the same.
    """

    plan: ForgetPlan
    damaged: tuple[SnapshotId, ...] = ()

    @property
    def remove(self) -> tuple[SnapshotId, ...]:
        return (*(snapshot.id for snapshot in self.plan.remove), *self.damaged)

    def __str__(self) -> str:
        lines = [
            f"keep   {kept.snapshot.short_id}  {kept.snapshot.time:%Y-%m-%d %H:%M:%S}"
            f"  {', '.join(kept.reasons)}"
            for kept in self.plan.keep
        ]
        lines += [f"remove {s.short_id}  {s.time:%Y-%m-%d %H:%M:%S}" for s in self.plan.remove]
        lines += [f"remove {name[:SHORT_ID_LENGTH]}  (damaged)" for name in self.damaged]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ForgetOutcome:
    """What was decided, and the prune that followed, if one did."""

    decision: ForgetDecision
    prune: PrunePlan | None = None


OnForget: TypeAlias = Callable[[ForgetDecision], None]


def plan_forgetting(
    repository: Repository, request: ForgetRequest, *, now: datetime, emit: Emit
) -> ForgetDecision:
    """Decide; nothing is removed and nothing locked: this is the dry run.

    Raises ``NoSuchPointError``, and ``UsageError`` for a request that names nothing to go by.
    """
    match request:
        case ForgetByPolicy():
            return _decide_by_policy(repository, request, now=now, emit=emit)
        case ForgetPoints():
            return _decide_by_ids(repository, request)
        case _:
            assert_never(request)


def preview_forget_and_prune(
    repository: Repository,
    request: ForgetRequest,
    *,
    now: datetime,
    max_unused: float = MAX_UNUSED,
    emit: Emit,
    cancel: CancelToken,
) -> ForgetOutcome:
    """The dry run of forgetting and pruning in one go."""
    with lock_if_allowed(repository, emit):
        decision = plan_forgetting(repository, request, now=now, emit=emit)
        plan = plan_prune(
            repository,
            forgotten=decision.remove,
            max_unused=max_unused,
            emit=emit,
            cancel=cancel,
        )
        return ForgetOutcome(decision, plan)


def run_forget(
    repository: Repository,
    request: ForgetRequest,
    *,
    now: datetime,
    on_plan: OnForget,
    emit: Emit,
    cancel: CancelToken,
) -> ForgetOutcome:
    """Remove restore points; the space they took is freed by the next prune.

    Locks the repository exclusively, as restic does. ``on_plan`` is shown the
    decision before anything changes, and may raise. Raises
    ``RepositoryLockedError``, ``NoSuchPointError``, ``AccessDeniedError``,
    ``StorageError``, ``JobCancelledError``.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        decision = _forget(
            repository, request, lock, now=now, on_plan=on_plan, emit=emit, cancel=cancel
        )
        return ForgetOutcome(decision)


def run_forget_and_prune(
    repository: Repository,
    request: ForgetRequest,
    *,
    now: datetime,
    max_unused: float = MAX_UNUSED,
    on_plan: OnForget,
    on_forgotten: OnForget = lambda _decision: None,
    on_prune_plan: OnPrunePlan,
    emit: Emit,
    cancel: CancelToken,
) -> ForgetOutcome:
    """Remove restore points and free their space, under one lock.

    ``on_forgotten`` hears of the points once they are gone and the prune is still to come.
    """
    with RepositoryLock(repository, exclusive=True) as lock:
        decision = _forget(
            repository, request, lock, now=now, on_plan=on_plan, emit=emit, cancel=cancel
        )
        on_forgotten(decision)

        def plan_again(*, copy_at_most: int | None = None) -> PrunePlan:
            return plan_prune(
                repository,
                forgotten=decision.remove,
                max_unused=max_unused,
                copy_at_most=copy_at_most,
                emit=emit,
                cancel=cancel,
            )

        plan = plan_again()
        on_prune_plan(plan)
        carry_out(plan, repository, plan_again, lock=lock, emit=emit, cancel=cancel)
        return ForgetOutcome(decision, plan)


def _forget(
    repository: Repository,
    request: ForgetRequest,
    lock: RepositoryLock,
    *,
    now: datetime,
    on_plan: OnForget,
    emit: Emit,
    cancel: CancelToken,
) -> ForgetDecision:
    decision = plan_forgetting(repository, request, now=now, emit=emit)
    on_plan(decision)
    remove_files(
        repository,
        FileKind.SNAPSHOT,
        decision.remove,
        phase="forget",
        before_each=lock.ensure_held,
        emit=emit,
        cancel=cancel,
    )
    return decision


def _decide_by_policy(
    repository: Repository, request: ForgetByPolicy, *, now: datetime, emit: Emit
) -> ForgetDecision:
    damaged: list[DamagedFile] = []
    snapshots = repository.snapshots(on_damage=damaged.append)
    for file in damaged:
        emit(Notice(f"{file.reason} It is left alone: everboot forget with its id removes it."))
    chosen = [snapshot for snapshot in snapshots if request.filter.accepts(snapshot)]
    return ForgetDecision(plan_forget(chosen, request.policy, now=now, by=request.group_by))


def _decide_by_ids(repository: Repository, request: ForgetPoints) -> ForgetDecision:
    if not request.ids:
        raise UsageError(
            "Nothing says what to forget.",
            hint="Name restore points, or rules such as --keep-daily 7.",
        )
    remove: list[Snapshot] = []
    damaged: list[SnapshotId] = []
    for name in dict.fromkeys(map(repository.snapshot_id, request.ids)):
        try:
            remove.append(repository.load_snapshot(name))
        except IntegrityError:
            damaged.append(name)
    group = GroupPlan(GroupKey(None, None, None), keep=(), remove=tuple(remove))
    return ForgetDecision(ForgetPlan((group,)), tuple(damaged))
