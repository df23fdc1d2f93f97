"""The short road from a stored disk to a restored one."""

from __future__ import annotations

from pathlib import Path

from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit, ignore
from backup_agent.targets.disk.execute import execute_plan
from backup_agent.targets.disk.plan import RestorePlan
from backup_agent.targets.disk.request import Request, plan_restore
from backup_agent.targets.disk.reshape import ScratchReshaper
from backup_agent.targets.disk.stored import StoredDisk
from backup_agent.targets.disk.task import Wishes

_NO_WISHES = Wishes()


def plan_disk_restore(
    stored: StoredDisk,
    target: Path,
    *,
    volume: int | None = None,
    wishes: Wishes = _NO_WISHES,
    overwrite: bool = False,
    repository: str = "",
    host: Host | None = None,
) -> RestorePlan:
    source = "disk0" if volume is None else f"disk0/volume{volume}"
    request = Request(source, volume, target, wishes, overwrite, repository)
    return plan_restore(stored, request, host or current_host())


def restore_disk(
    stored: StoredDisk,
    target: Path,
    *,
    volume: int | None = None,
    wishes: Wishes = _NO_WISHES,
    overwrite: bool = False,
    scratch: Path | None = None,
    host: Host | None = None,
    emit: Emit = ignore,
    cancel: CancelToken | None = None,
) -> RestorePlan:
    """Plan, execute and read back."""
    plan = plan_disk_restore(
        stored, target, volume=volume, wishes=wishes, overwrite=overwrite, host=host
    )
    execute_plan(
        plan,
        stored,
        host or current_host(),
        ScratchReshaper(scratch or target.parent, target.name),
        verify=True,
        emit=emit,
        cancel=cancel or CancelToken(),
    )
    return plan
