"""Making a restored disk start on this computer: what is promised before, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from backup_agent.errors import EverbootError
from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import FileSystemKind, Volume
from rescue_media.boot_repair.execute import Outcome, Result, Workplace, execute_repair
from rescue_media.boot_repair.folders import MountedVolumes
from rescue_media.boot_repair.plan import plan_repair
from rescue_media.boot_repair.restart import RestartPlan, medium_device, plan_restart
from rescue_media.boot_repair.steps import CreateFirmwareEntry, StartFirst
from rescue_media.boot_repair.survey import survey_disk

_EXT = {FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4}


@dataclass(frozen=True, slots=True)
class Repaired:
    """``starts_by_list``: the firmware was told to start this disk next."""

    outcomes: tuple[Outcome, ...] = ()
    warnings: tuple[str, ...] = ()
    starts_by_list: bool = False

    def sentences(self, *results: Result) -> Iterator[str]:
        for outcome in self.outcomes:
            if outcome.result in results:
                yield f"{outcome.title}. {outcome.words}".rstrip()


RepairDisk = Callable[[str, CancelToken], Repaired]


def promised_repairs(volumes: Iterable[Volume]) -> tuple[str, ...]:
    """What is looked at once such a disk is back, and why; only the disk itself can tell more."""
    kinds = {volume.file_system.kind for volume in volumes}
    return tuple(_promised(kinds))


def _promised(kinds: set[FileSystemKind]) -> Iterator[str]:
    yield "Boot sectors: a volume that lies elsewhere now has to say so."
    if FileSystemKind.NTFS in kinds:
        yield "Hibernated Windows: its session remembers the disk that was, and is forgotten."
        yield "Windows' storage drivers: this computer's controller may be one it never saw."
    if kinds & _EXT:
        yield "Linux' fstab: device names may have changed, UUIDs have not."
    yield "The firmware: it has to find a loader, and to start this disk first."


def repair_disk(disk: str, cancel: CancelToken) -> Repaired:
    """Look, plan, and do it. A disk that cannot be looked at is an outcome, too: it is restored.

    Raises ``JobCancelledError``.
    """
    host, folders = current_host(), MountedVolumes(disk)
    try:
        facts = survey_disk(disk, host, folders)
    except EverbootError as error:
        words = f"{error.message} {error.hint}".rstrip()
        return Repaired((Outcome(f"Look whether {disk} can start", Result.FAILED, words),))
    plan = plan_repair(facts)
    outcomes = tuple(execute_repair(plan, Workplace(facts, host, folders), cancel=cancel))
    starts_by_list = any(
        isinstance(step, CreateFirmwareEntry | StartFirst) and outcome.result is Result.DONE
        for step, outcome in zip(plan.steps, outcomes, strict=True)
    )
    return Repaired(outcomes, plan.warnings, starts_by_list)


def repair_disks(
    disks: Iterable[str], repair: RepairDisk, tell: Callable[[str], None], cancel: CancelToken
) -> Repaired:
    """All of them. The first disk comes last, for the firmware starts what it was told last."""
    outcomes: list[Outcome] = []
    warnings: list[str] = []
    starts_by_list = False
    for disk in reversed(tuple(disks)):
        tell(f"Looking whether {disk} can start this computer.")
        repaired = repair(disk, cancel)
        for outcome in repaired.outcomes:
            tell(f"{outcome.result.value.capitalize()}: {outcome.title}. {outcome.words}".rstrip())
        outcomes += repaired.outcomes
        warnings += repaired.warnings
        starts_by_list = starts_by_list or repaired.starts_by_list
    return Repaired(tuple(outcomes), tuple(warnings), starts_by_list)


def restart_after(repaired: Repaired) -> RestartPlan:
    """What "Automatic Restart" does now."""
    return plan_restart(
        current_host().firmware, medium_device(), starts_by_list=repaired.starts_by_list
    )
