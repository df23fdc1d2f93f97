"""Bringing disks back: out of a disk restore point onto disks, partitions and image files."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backup_agent.errors import UsageError
from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.browse import PointBrowser
from backup_agent.services.gaps import Gap, find_gaps
from backup_agent.services.stored_disk import DiskInPoint
from backup_agent.targets.disk.execute import execute_plan
from backup_agent.targets.disk.joined import JoinedReshaper
from backup_agent.targets.disk.plan import DiskPicture, Placed, RestorePlan, name_of
from backup_agent.targets.disk.request import Request, plan_restore
from backup_agent.targets.disk.reshape import Reshaper, ScratchReshaper
from backup_agent.targets.disk.task import Wishes

__all__ = [
    "DiskPicture",
    "DiskRestore",
    "Gap",
    "Placed",
    "Wishes",
    "execute_disk_restore",
    "plan_disk_restore",
    "refuse_double_targets",
    "scratch_folder",
]

_SOURCE = re.compile(r"disk(\d+)(?:/volume(\d+))?")
_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class DiskRestore:
    """A frozen plan: which disk or volume of the restore point goes where, action by action.

    ``gaps`` are what the backup could not read of it; the plan's notes tell them, too.
    """

    plan: RestorePlan
    stored: DiskInPoint
    gaps: tuple[Gap, ...] = ()

    @property
    def source(self) -> str:
        return self.plan.source

    @property
    def target(self) -> Path:
        return Path(self.plan.target.path)

    @property
    def size(self) -> int:
        """Bytes of the target."""
        return self.plan.target.size

    @property
    def left_out_words(self) -> tuple[str, ...]:
        """A sentence for each volume that does not come back, because it has no place."""
        return tuple(f"{name_of(one)} was LEFT OUT, as planned." for one in self.plan.left_out)

    def lines(self) -> Iterator[str]:
        return self.plan.lines()


def plan_disk_restore(
    browser: PointBrowser,
    source: str,
    target: Path,
    *,
    wishes: Wishes = _NO_WISHES,
    overwrite: bool = False,
    repository: str = "",
) -> DiskRestore:
    """Plan to restore ``source`` (``disk0``, ``disk0/volume2``); changes nothing.

    ``repository`` is its location, so that it is not overwritten. Raises
    ``UsageError``, ``NoSuchPointError``, ``IntegrityError``, ``TargetError``.
    """
    disk, volume = _parse_source(source)
    stored = DiskInPoint(browser, disk)
    request = Request(source, volume, target, wishes, overwrite, repository)
    plan = plan_restore(stored, request, current_host())
    wanted = [v for v in stored.volumes if volume in (None, v.number)]
    gaps = find_gaps(browser, disk, wanted, whole_disk=volume is None)
    notes = (*(gap.words for gap in gaps), *plan.notes)
    return DiskRestore(replace(plan, notes=notes), stored, gaps)


def refuse_double_targets(targets: Sequence[Path], host: Host | None = None) -> None:
    """Raises ``UsageError`` where two maps lead to one target, by whatever names.

    Nor may one lead to a disk and another to a partition of it: whatever is
    written last would lie over the other.
    """
    host = host or current_host()
    seen: dict[tuple[object, ...], Path] = {}
    for target in targets:
        if seen.setdefault(_identity(target), target) is not target:
            raise UsageError(f"{target} is the target of two maps.")
    for target in targets:
        disk = host.disk_around(str(target))
        whole = seen.get(_identity(Path(disk))) if disk else None
        if whole is not None:
            raise UsageError(
                f"{target} is a partition of {whole}, which is the target of another map.",
                hint="Restore the disk as a whole, or only volumes to its partitions.",
            )


def _identity(target: Path) -> tuple[object, ...]:
    """What one disk or file is known by; a file that is not there yet by its name alone."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return (target.resolve(),)
    if stat.S_ISBLK(status.st_mode):
        return ("device", status.st_rdev)
    return (status.st_dev, status.st_ino)


def execute_disk_restore(
    job: DiskRestore,
    *,
    verify: bool,
    emit: Emit,
    cancel: CancelToken,
    scratch: Path | None = None,
) -> None:
    """Do what was planned, and read it back if asked to.

    A volume that changes its size on a device needs no room elsewhere where the
    system makes block devices. Otherwise, and always for an image file, it
    needs room for its data in ``scratch``: by default beside the image file,
    for a device in the folder that TMPDIR names.

    Raises ``TargetError``, ``IntegrityError``, ``StorageError``, ``JobCancelledError``.
    """
    host = current_host()
    execute_plan(
        job.plan,
        job.stored,
        host,
        _reshaper(job, host, scratch),
        verify=verify,
        emit=emit,
        cancel=cancel,
    )


def _reshaper(job: DiskRestore, host: Host, scratch: Path | None) -> Reshaper:
    folder = scratch_folder(job, scratch)
    if folder is None:
        return JoinedReshaper(host, job.plan.sector_size)
    return ScratchReshaper(folder, job.target.name)


def scratch_folder(job: DiskRestore, scratch: Path | None) -> Path | None:
    """Where a volume that changes its size gets its room; ``None`` where it needs none.

    Raises ``UsageError`` for a ``scratch`` that is no folder to write in.
    """
    if scratch is not None:
        if not scratch.is_dir() or not os.access(scratch, os.W_OK):
            raise UsageError(
                f"--scratch {scratch} is no folder that can be written to.",
                hint="Name a folder with room for the volume's data.",
            )
        return scratch
    if job.plan.target.is_image:
        return job.target.resolve().parent
    if current_host().offers_block_devices():
        return None
    return Path(tempfile.gettempdir())


def _parse_source(name: str) -> tuple[int, int | None]:
    """The numbers in ``disk0`` or ``disk0/volume2``. Raises ``UsageError``."""
    match = _SOURCE.fullmatch(name)
    if match is None:
        raise UsageError(
            f"{name!r} names neither a disk nor a volume of a restore point.",
            hint="For instance --map disk0=FILE or --map disk0/volume2=/dev/sdb2",
        )
    return int(match[1]), int(match[2]) if match[2] is not None else None
