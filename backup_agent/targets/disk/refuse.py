"""Looking at a target before anything is planned for it, and saying no in words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from backup_agent.errors import (
    PrivilegeError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
)
from backup_agent.filesystems.restore_mark import MARK_SIZE, is_marked, is_unfinished
from backup_agent.host.api import Host
from backup_agent.model.disk import Disk
from backup_agent.targets.disk.plan import RestorePlan

_DEVICES = Path("/dev")
_SHARED = Path("/dev/shm")  # noqa: S108 # a folder in memory for everybody's files
_BLOCK = 512
"""What stat counts in."""
_SYSTEM_PLACES = {"/", "/boot", "/boot/efi", "/usr"}


class TargetState(StrEnum):
    NEW = "new"
    """An image file that does not exist, or is empty."""
    BLANK = "blank"
    """An image file that is one hole: its size was chosen, nothing was written."""
    OCCUPIED = "occupied"
    """An image file with something in it."""
    UNFINISHED = "unfinished"
    """An image file in which a restore was interrupted."""
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Target:
    """``start`` is where a partition begins on its disk; ``None`` for what is none."""

    disk: Disk
    state: TargetState
    mark: bytes = b""
    start: int | None = None

    def resized(self, size: int) -> Target:
        return replace(self, disk=replace(self.disk, size=size))


def look_at_target(path: Path, *, wanted_size: int, repository: str, host: Host) -> Target:
    """What is there. A file that is to be made gets ``wanted_size`` bytes; changes nothing.

    ``repository`` is its location: a folder's path, or something else.

    Raises :class:`TargetInUseError` for what is mounted, holds the running
    system or the repository; :class:`TargetError` for what is read-only, or
    neither disk nor file.
    """
    try:
        if path.exists() and not path.is_file():
            return _look_at_device(path, repository, host)
        return _look_at_image(path, wanted_size, repository, host)
    except OSError as exc:
        raise TargetError(f"{path} cannot be examined: {exc.strerror}") from exc


def occupied(target: Target) -> TargetError:
    """Says no to writing over a file that holds something else than this plan's work."""
    path = target.disk.path
    if target.state is TargetState.UNFINISHED:
        return TargetError(
            f"In {path} another restore was interrupted.",
            hint="Start that one again with the same options, or replace it with --overwrite.",
        )
    return TargetError(
        f"{path} is not empty ({target.disk.size} bytes).",
        hint="Name a file that does not exist yet, or replace this one with --overwrite.",
    )


def goes_on(target: Target, plan: RestorePlan) -> bool:
    """Whether the plan, interrupted here before, will go on where it was."""
    return is_marked(target.mark, plan.fingerprint)


def refuse_full_storage(target: Target, plan: RestorePlan) -> None:
    """Raises :class:`TargetTooSmallError` where an image file has no room for the data."""
    if target.state is TargetState.DEVICE:
        return
    path = Path(plan.target.path).resolve()
    free = shutil.disk_usage(path.parent).free
    if path.exists():
        # What is emptied first, or holds the right data already.
        free += path.stat().st_blocks * _BLOCK
    if free < plan.room:
        raise TargetTooSmallError(
            f"There is not enough room for {path}: {plan.room} bytes at least will be"
            f" written, {free} are free.",
            hint="Name a place with more free space.",
        )


def _look_at_device(path: Path, repository: str, host: Host) -> Target:
    if not path.is_block_device():
        raise TargetError(
            f"{path} is neither a disk nor a file.",
            hint="Name a disk, a partition, or an image file to be made or replaced.",
        )
    disk = host.disk(str(path))
    _refuse_in_use(path, host.mounts(str(path)), repository)
    if disk.read_only:
        raise TargetError(f"{path} is read-only.", hint="A switch on the card, or blockdev --setrw")
    if not os.access(path, os.W_OK):
        raise PrivilegeError(
            f"{path} may not be written by this user.",
            hint="Run Everboot as root (sudo) to restore to disks.",
        )
    mark = _first_bytes(path)
    return Target(disk, TargetState.DEVICE, mark, start=host.start_on_disk(str(path)))


def _look_at_image(path: Path, wanted_size: int, repository: str, host: Host) -> Target:
    resolved = path.resolve()
    folder = Path(repository)
    if repository and folder.is_dir() and resolved.is_relative_to(folder.resolve()):
        raise TargetInUseError(
            f"{path} lies inside the repository.", hint="Name a file in another folder."
        )
    disk = Disk(str(path), str(resolved), wanted_size, sector_size=None, is_image=True)
    if not path.exists():
        _refuse_absent_device(path)
        if not path.parent.exists():
            raise TargetError(f"The folder {path.parent} does not exist.", hint="Create it first.")
        _refuse_unwritable(path.parent)
        return Target(disk, TargetState.NEW)
    _refuse_unwritable(path)
    _refuse_in_use(path, host.mounts(str(path)), repository)
    _refuse_attached(path, host.attached_as(str(path)))
    status = path.stat()
    if not status.st_size:
        return Target(disk, TargetState.NEW)
    mark = _first_bytes(path)
    state = TargetState.OCCUPIED
    if is_unfinished(mark):
        state = TargetState.UNFINISHED
    elif not status.st_blocks:
        state = TargetState.BLANK
    return Target(replace(disk, size=status.st_size), state, mark)


def _refuse_in_use(path: Path, places: Sequence[str], repository: str) -> None:
    if not places:
        return
    if _SYSTEM_PLACES & set(places):
        raise TargetInUseError(
            f"{path} holds the running system ({', '.join(places)}).",
            hint="Start the computer from a rescue key to restore its own disk.",
        )
    if _holds(places, repository):
        raise TargetInUseError(
            f"{path} holds the repository {repository} itself.", hint="Name another disk."
        )
    raise TargetInUseError(
        f"{path} is in use ({', '.join(places)}).", hint="Unmount it, or name another target."
    )


def _holds(places: Sequence[str], repository: str) -> bool:
    folder = Path(repository)
    if not repository or not folder.is_dir():
        return False
    # The innermost mount point above the repository is where it lies.
    mount = folder.resolve()
    while not mount.is_mount():
        mount = mount.parent
    return str(mount) in places


def _refuse_absent_device(path: Path) -> None:
    """A device name with a slip in it must not become a file in memory."""
    if path.resolve().is_relative_to(_DEVICES) and not path.resolve().is_relative_to(_SHARED):
        raise TargetError(
            f"There is no device {path}, and no image files are made in {_DEVICES}.",
            hint="everboot disks lists the disks that are there.",
        )


def _refuse_attached(path: Path, devices: Sequence[str]) -> None:
    """What is written to the file behind a device's back does not show there, or gets lost."""
    if devices:
        names = ", ".join(devices)
        raise TargetInUseError(
            f"{path} is attached as {names}.",
            hint=f"Detach it (losetup --detach {devices[0]}), or restore to {devices[0]} itself.",
        )


def _refuse_unwritable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise TargetError(f"{path} is read-only.", hint="Check its rights, or name another place.")


def _first_bytes(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(MARK_SIZE)
