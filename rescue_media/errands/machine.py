"""The computer, as the errands ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from backup_agent.host.select import current_host
from backup_agent.services.inventory import DiskView, inspect_disks
from backup_agent.services.machine_disks import MachineDisks, choose_disks
from rescue_media.boot_repair.restart import RestartPlan, restart
from rescue_media.errands.boot import RepairDisk, repair_disk
from rescue_media.errands.settings import status
from rescue_media.flow.values import Status


def _own_disks(repository: Path | None) -> MachineDisks:
    return choose_disks(current_host(), repository=repository)


def _views(repository: str) -> Iterable[DiskView]:
    return inspect_disks(repository=repository)


@dataclass(frozen=True, slots=True)
class Machine:
    """``views`` takes the repository's location.

    On the medium a restored disk is made to start here, and a restart is one of the computer.
    """

    views: Callable[[str], Iterable[DiskView]] = _views
    own_disks: Callable[[Path | None], MachineDisks] = _own_disks
    on_medium: bool = False
    repair: RepairDisk = repair_disk
    restart: Callable[[RestartPlan], None] = restart
    status: Callable[[], Status] = status
    lasting: Path = Path("/run/everboot")
