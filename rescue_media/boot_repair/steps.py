"""The plan as values: steps to do, steps left out and why, and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from rescue_media.boot_repair.hive import DriverChange


@dataclass(frozen=True, slots=True)
class PatchHiddenSectors:
    """Write a volume's place on the disk into its boot sector."""

    volume: int


@dataclass(frozen=True, slots=True)
class ClearHibernation:
    volume: int


@dataclass(frozen=True, slots=True)
class EnableDrivers:
    volume: int
    control_set: str
    changes: tuple[DriverChange, ...]


@dataclass(frozen=True, slots=True)
class NameByUuid:
    """Replace device names in a Linux' fstab: ``names`` are pairs of device and ``UUID=…``."""

    volume: int
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CopyToFallback:
    """Copy files of an EFI partition, pairs of source and target below it."""

    volume: int
    copies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CreateFirmwareEntry:
    """``loader`` in the firmware's own notation, with backslashes."""

    volume: int
    loader: str
    label: str


@dataclass(frozen=True, slots=True)
class StartFirst:
    """An entry that is there already comes first, from now on and at the next start."""

    entry: str


Action: TypeAlias = (
    PatchHiddenSectors
    | ClearHibernation
    | EnableDrivers
    | NameByUuid
    | CopyToFallback
    | CreateFirmwareEntry
    | StartFirst
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A step that is not needed, or not possible, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """``warnings`` are for the person; none of them keeps a step from being done."""

    disk: str
    steps: tuple[Action | LeftOut, ...]
    warnings: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        for step in self.steps:
            if isinstance(step, LeftOut):
                yield f"Left out: {step.title}. {step.reason}"
            else:
                yield f"{title(step)}."
        yield from (f"Note: {warning}" for warning in self.warnings)


def title(action: Action) -> str:
    """What it does, in words."""
    match action:
        case PatchHiddenSectors(volume):
            return f"Tell volume {volume} where it lies on the disk"
        case ClearHibernation(volume):
            return f"Forget the hibernated session on volume {volume}"
        case EnableDrivers(volume, _, changes):
            names = ", ".join(change.driver for change in changes)
            return f"Have Windows on volume {volume} load drivers at its start: {names}"
        case NameByUuid(volume, names):
            return f"Name {len(names)} file systems by UUID in the fstab on volume {volume}"
        case CopyToFallback(volume, copies):
            return f"Copy {copies[0][0]} to where any firmware looks, on volume {volume}"
        case CreateFirmwareEntry(_, _, label):
            return f"Enter {label!r} into the firmware's list, first and for the next start"
        case StartFirst(entry):
            return f"Make the firmware's entry {entry} the first, and the next"
        case _:
            assert_never(action)
