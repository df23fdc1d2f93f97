"""Which disks "the whole computer" means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import SourceError
from backup_agent.host.api import Host
from backup_agent.model.disk import Disk


@dataclass(frozen=True, slots=True)
class MachineDisks:
    """``remarks`` name the disks that are not taken, and what is odd about those that are."""

    paths: tuple[str, ...]
    remarks: tuple[str, ...]


def choose_disks(host: Host, *, repository: Path | None) -> MachineDisks:
    """Every fixed disk but the one that holds the repository (``None``: it lies elsewhere).

    Raises :class:`SourceError` if none is left, :class:`~backup_agent.errors.HostError`.
    """
    chosen: list[str] = []
    remarks: list[str] = []
    for disk in host.disks():
        if reason := _why_not(host, disk, repository):
            remarks.append(f"{disk.path} is not backed up: {reason}.")
            continue
        chosen.append(disk.path)
        if disk.read_only:
            remarks.append(f"{disk.path} is read-only: some drives turn so when they fail.")
    if not chosen:
        raise SourceError(
            " ".join(["There is no fixed disk to back up.", *remarks]),
            hint="Name the disk with --disk.",
        )
    return MachineDisks(tuple(chosen), tuple(remarks))


def holds(host: Host, disk: str, folder: Path) -> bool:
    """Whether that folder, or where it is to be, lies on that disk."""
    return _mount_point(folder) in host.mounts(disk)


def _why_not(host: Host, disk: Disk, repository: Path | None) -> str:
    if disk.removable or disk.transport == "usb":
        return "it is removable"
    if repository is not None and holds(host, disk.path, repository):
        return "it holds the repository itself"
    return ""


def _mount_point(folder: Path) -> str:
    """The mount point above a folder, which may not be there yet."""
    place = folder.resolve()
    while not os.path.ismount(place):
        place = place.parent
    return str(place)
