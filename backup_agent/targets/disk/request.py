"""One mapping of a restore: what is wanted, and the plan for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from backup_agent.errors import NoSuchPointError, UsageError
from backup_agent.host.api import Host
from backup_agent.model.disk import TableKind
from backup_agent.targets.disk.facts import (
    gather_facts,
    has_hybrid_record,
    require_matching_volumes,
)
from backup_agent.targets.disk.plan import RestorePlan
from backup_agent.targets.disk.planner import plan_disk, plan_volume
from backup_agent.targets.disk.refuse import (
    Target,
    TargetState,
    goes_on,
    look_at_target,
    occupied,
    refuse_full_storage,
)
from backup_agent.targets.disk.stored import StoredDisk
from backup_agent.targets.disk.task import Task, Wishes

_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Request:
    """``source`` as people write it (``disk0``, ``disk0/volume2``); ``volume`` is its number."""

    source: str
    volume: int | None
    target: Path
    wishes: Wishes = _NO_WISHES
    overwrite: bool = False
    repository: str = ""
    """Its location, so that nothing is restored over it."""


def plan_restore(stored: StoredDisk, request: Request, host: Host) -> RestorePlan:
    """What restoring will do; changes nothing.

    Raises :class:`TargetError` and its children for a target that is refused,
    :class:`IntegrityError` for a stored disk that contradicts itself,
    ``NoSuchPointError`` for a volume it does not have.
    """
    require_matching_volumes(stored.layout, stored.volumes)
    wanted = [v for v in stored.volumes if request.volume in (None, v.number)]
    if request.volume is not None and not wanted:
        raise NoSuchPointError(f"The restore point has no {request.source}.")
    size = wanted[0].size if request.volume is not None else stored.layout.size
    target = look_at_target(
        request.target, wanted_size=size, repository=request.repository, host=host
    )
    _refuse_partition_for_disk(stored, request, target)
    task = Task(
        source=request.source,
        content=stored.identity,
        layout=stored.layout,
        facts={volume.number: gather_facts(stored, volume) for volume in wanted},
        target=target.disk,
        creates=target.state is TargetState.NEW,
        target_start=target.start,
        is_hybrid=request.volume is None and has_hybrid_record(stored),
    )
    plan = _plan_for(target, task, size, request)
    refuse_full_storage(target, plan)
    return plan


def _plan_for(target: Target, task: Task, size: int, request: Request) -> RestorePlan:
    if target.state is not TargetState.OCCUPIED:
        plan = _plan(task, request, request.wishes)
        if goes_on(target, plan) or target.state is not TargetState.UNFINISHED:
            return plan
    if not request.overwrite:
        raise occupied(target)
    # The file is emptied and becomes as large as what it is to hold.
    task = replace(task, target=target.resized(size).disk)
    return _plan(task, request, replace(request.wishes, discard=True))


def _plan(task: Task, request: Request, wishes: Wishes) -> RestorePlan:
    if request.volume is None:
        return plan_disk(task, wishes)
    return plan_volume(task, request.volume, wishes)


def _refuse_partition_for_disk(stored: StoredDisk, request: Request, target: Target) -> None:
    is_divided = stored.layout.table.kind is not TableKind.NONE
    if request.volume is None and is_divided and target.start is not None:
        raise UsageError(
            f"{request.target} is a partition; {request.source} is a whole disk with partitions"
            " of its own.",
            hint=f"Name a disk, or map one volume: --map {request.source}/volume1=…",
        )
