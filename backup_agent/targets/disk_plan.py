"""What restoring a disk will write, in order, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, assert_never

from backup_agent.errors import IntegrityError
from backup_agent.model.disk import Area, AreaKind, DiskLayout, Extent, TableKind, Volume


class StoredDisk(Protocol):
    """A disk in a restore point, as far as a restore must know it.

    What is read may fail as repositories do (:class:`~backup_agent.errors.IntegrityError`,
    :class:`~backup_agent.errors.StorageError`).
    """

    @property
    def layout(self) -> DiskLayout: ...

    @property
    def volumes(self) -> Sequence[Volume]: ...

    def read_area(self, name: str) -> Iterable[bytes]:
        """The bytes of ``head.img`` and the like, in order."""
        ...

    def read_part(self, volume: int, part: int) -> Iterable[bytes]:
        """The bytes of one part of a volume's image, in order."""
        ...


@dataclass(frozen=True, slots=True)
class CreateImage:
    """Make the file, as long as the disk, all zeros and taking no room."""

    size: int


@dataclass(frozen=True, slots=True)
class WriteVolume:
    volume: Volume


@dataclass(frozen=True, slots=True)
class WriteArea:
    area: Area


Action: TypeAlias = CreateImage | WriteVolume | WriteArea


@dataclass(frozen=True, slots=True)
class DiskImagePlan:
    """The actions that make ``target`` the disk it was; executed in this order.

    The areas come last, sector 0 at the very end: until all is there, nothing
    takes the file for a disk.
    """

    target: Path
    overwrite: bool
    actions: tuple[Action, ...]

    @property
    def size(self) -> int:
        """Bytes that will be written or left as holes."""
        extents = (_extent(action) for action in self.actions)
        return sum(extent.size for extent in extents if extent)

    def lines(self) -> Iterator[str]:
        """The plan for people."""
        for action in self.actions:
            yield describe(action, self.target)


def plan_actions(stored: StoredDisk) -> tuple[Action, ...]:
    """The actions for an image of the disk's own size.

    Raises :class:`IntegrityError` where the volumes are not those of the layout.
    """
    layout = stored.layout
    _require_matching_volumes(layout, stored.volumes)
    order = {AreaKind.TAIL: 0, AreaKind.LINK: 1, AreaKind.HEAD: 2}
    areas = sorted(layout.areas, key=lambda area: order[area.kind])
    return (
        CreateImage(layout.size),
        *(WriteVolume(volume) for volume in stored.volumes),
        *(WriteArea(area) for area in areas),
    )


def describe(action: Action, target: Path) -> str:
    """One line for people."""
    match action:
        case CreateImage(size):
            return f"create {target}, {size} bytes"
        case WriteVolume(volume):
            system = volume.file_system
            label = f" {system.label!r}" if system.label else ""
            name = f"volume {volume.number} ({system.kind}{label})"
            return f"write {name} to {_range(volume.extent)}"
        case WriteArea(area):
            return f"write {_AREA_WORDS[area.kind]} to {_range(area.extent)}"
        case _:
            assert_never(action)


_AREA_WORDS = {
    AreaKind.HEAD: "the partition table and boot code",
    AreaKind.TAIL: "the disk's end",
    AreaKind.LINK: "a link of the logical partitions",
}


def _range(extent: Extent) -> str:
    return f"bytes {extent.start} to {extent.end - 1}"


def _extent(action: Action) -> Extent | None:
    match action:
        case CreateImage():
            return None
        case WriteVolume(volume):
            return volume.extent
        case WriteArea(area):
            return area.extent
        case _:
            assert_never(action)


def _require_matching_volumes(layout: DiskLayout, volumes: Sequence[Volume]) -> None:
    if layout.table.kind is TableKind.NONE:
        wanted = {0: Extent(0, layout.size)}
    else:
        wanted = {p.number: p.extent for p in layout.table.partitions if p.holds_volume}
    found = {volume.number: volume.extent for volume in volumes}
    if found != wanted or len(found) != len(volumes):
        raise IntegrityError(
            "The volumes of this disk are not those that its layout.json tells of"
            f" ({_numbers(found)} instead of {_numbers(wanted)}, or in other places)."
        )


def _numbers(volumes: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(volumes)) or "none"
