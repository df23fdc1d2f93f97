"""Writing an image to a USB key: planned, shown, and read back."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import (
    IntegrityError,
    TargetError,
    TargetInUseError,
    TargetTooSmallError,
    UsageError,
)
from backup_agent.host.api import Host, WritableDisk
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Disk
from backup_agent.model.events import Emit, Progress
from backup_agent.services.media.slot import read_settings

_STEP = 4 << 20
# What is left of a key's former table would lie in wait behind the image: GPT's second copy.
_TAIL = 1 << 20


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """An image and the removable disk whose whole content it will replace."""

    image: Path
    size: int
    disk: Disk


def plan_key(image: Path, device: str, *, host: Host | None = None) -> KeyPlan:
    """Raises :class:`TargetError` for what is no free removable disk of sufficient size,
    :class:`IntegrityError` for what is no rescue media.
    """
    host = host or current_host()
    try:
        with image.open("rb") as file:
            read_settings(file)
            size = os.fstat(file.fileno()).st_size
    except OSError as exc:
        raise UsageError(f"{image} cannot be read: {exc.strerror}.") from exc
    disk = _whole_disk(host, device)
    if not (disk.removable or disk.transport == "usb"):
        raise TargetError(
            f"{device} is built into this computer; only removable disks are written.",
            hint="everboot disks shows which is which.",
        )
    if disk.read_only:
        raise TargetError(f"{device} is write-protected.", hint="Look for a switch on it.")
    if mounts := host.mounts(device):
        raise TargetInUseError(
            f"{device} is in use at {', '.join(mounts)}.", hint="Eject it in your file manager."
        )
    if disk.size < size:
        raise TargetTooSmallError(f"{device} has {disk.size:,} bytes; the image has {size:,}.")
    return KeyPlan(image, size, disk)


def removable_disks(*, host: Host | None = None) -> tuple[Disk, ...]:
    """Those that a key may be made of, as far as one can tell without opening them.

    Raises :class:`~backup_agent.errors.HostError`.
    """
    return tuple(
        disk
        for disk in (host or current_host()).disks()
        if (disk.removable or disk.transport == "usb") and not disk.read_only and disk.size
    )


def write_key(plan: KeyPlan, *, emit: Emit, cancel: CancelToken, host: Host | None = None) -> None:
    """Write, then read all of it back. Raises :class:`IntegrityError` if it reads otherwise,
    :class:`TargetError`.
    """
    target = (host or current_host()).open_target(plan.disk)
    try:
        written = _write(plan, target, emit=emit, cancel=cancel)
        found = _read_back(plan, target, emit=emit, cancel=cancel)
    except OSError as exc:
        raise TargetError(
            f"{plan.disk.path}: {exc.strerror}.", hint="Try another key or another port."
        ) from exc
    finally:
        target.close()
    if found != written:
        raise IntegrityError(
            f"{plan.disk.path} does not read as it was written.", hint="Use another key."
        )


def _whole_disk(host: Host, device: str) -> Disk:
    path = os.path.realpath(device)
    for disk in host.disks():
        if os.path.realpath(disk.path) == path:
            return disk
    raise TargetError(f"{device} is no disk.", hint="everboot disks lists them.")


def _write(plan: KeyPlan, target: WritableDisk, *, emit: Emit, cancel: CancelToken) -> bytes:
    """Returns the SHA-256 of what was written."""
    digest = hashlib.sha256()
    place = 0
    tail = max(plan.size, plan.disk.size - _TAIL)
    target.zero(tail, plan.disk.size - tail)
    with plan.image.open("rb") as image:
        while piece := image.read(_STEP):
            cancel.raise_if_cancelled()
            target.write(place, piece)
            digest.update(piece)
            place += len(piece)
            emit(_progress("write", place, plan))
    target.flush()
    return digest.digest()


def _read_back(plan: KeyPlan, target: WritableDisk, *, emit: Emit, cancel: CancelToken) -> bytes:
    digest = hashlib.sha256()
    place = 0
    while place < plan.size:
        cancel.raise_if_cancelled()
        piece = target.read(place, min(_STEP, plan.size - place))
        if not piece:
            break
        digest.update(piece)
        place += len(piece)
        emit(_progress("verify", plan.size + place, plan))
    return digest.digest()


def _progress(phase: str, done: int, plan: KeyPlan) -> Progress:
    return Progress(phase, bytes_done=done, bytes_total=2 * plan.size, current=plan.disk.path)
