"""What restoring a disk will do, in order, before anything is done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from backup_agent.filesystems.boot_sector import Patch
from backup_agent.model.disk import (
    Area,
    AreaKind,
    Disk,
    Extent,
    PartitionTable,
    TableKind,
    Volume,
)


@dataclass(frozen=True, slots=True)
class CreateImage:
    """Make the file that long, all zeros and taking no room."""

    size: int


@dataclass(frozen=True, slots=True)
class ResizeVolume:
    """Bring a copy of a volume to another size. If that fails, nothing was written over yet."""

    volume: Volume
    size: int


@dataclass(frozen=True, slots=True)
class Discard:
    """Tell the drive (or the file) that none of its old content is needed."""

    extent: Extent


@dataclass(frozen=True, slots=True)
class Wipe:
    """Zero what an old partition table or file system would be known by, and leave the mark."""

    extents: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class WriteVolume:
    """Write a volume to ``place``, all but its first MiB; it has its old size."""

    volume: Volume
    place: Extent
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class WriteResized:
    """As :class:`WriteVolume`, for a volume that was brought to the size of ``place``."""

    volume: Volume
    place: Extent
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """Do not restore a volume, for there is no place for it."""

    volume: Volume


@dataclass(frozen=True, slots=True)
class FinishVolumes:
    """Write the first MiB of each volume: from here on they are file systems."""


@dataclass(frozen=True, slots=True)
class WriteArea:
    """Write what stood outside the volumes, byte for byte."""

    area: Area


@dataclass(frozen=True, slots=True)
class WriteTable:
    """Write a partition table in the target's sectors, with the boot code around it."""

    table: PartitionTable


Action: TypeAlias = (
    CreateImage
    | ResizeVolume
    | Discard
    | Wipe
    | WriteVolume
    | WriteResized
    | LeaveOut
    | FinishVolumes
    | WriteArea
    | WriteTable
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A partition in the picture of a disk. ``words`` say what it is."""

    number: int
    extent: Extent
    words: str


@dataclass(frozen=True, slots=True)
class DiskPicture:
    """A disk and the volumes on it, sorted by place.

    ``extended`` is the partition around an MBR's logical ones.
    """

    size: int
    sector_size: int
    table: TableKind
    placed: tuple[Placed, ...]
    extended: Placed | None = None


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The actions that make ``target`` the disk (or volume) it was; executed in this order.

    ``notes`` are what a person should know before saying yes. ``stored_bytes``
    is what will be fetched of the volumes, in pieces that are not all zeros;
    ``room`` what that takes at least where zeros take none.
    """

    source: str
    content: str
    """Which restore point and disk: :attr:`~.stored.StoredDisk.identity`."""
    target: Disk
    sector_size: int
    before: DiskPicture
    after: DiskPicture
    actions: tuple[Action, ...]
    notes: tuple[str, ...]
    stored_bytes: int
    room: int

    @property
    def left_out(self) -> tuple[Volume, ...]:
        """The volumes that do not come back."""
        return tuple(a.volume for a in self.actions if isinstance(a, LeaveOut))

    @property
    def fingerprint(self) -> bytes:
        """32 bytes, the same for a plan that does the same to a target of that size."""
        essence = repr((self.content, self.target.size, self.sector_size, _lasting(self.actions)))
        return hashlib.sha256(essence.encode()).digest()

    @property
    def needs_scratch(self) -> bool:
        return any(isinstance(action, ResizeVolume) for action in self.actions)

    def lines(self) -> Iterator[str]:
        """The actions for people."""
        for action in self.actions:
            yield describe(action, self.target)


def describe(action: Action, target: Disk) -> str:
    """One line for people."""
    match action:
        case CreateImage(size):
            return f"create {target.path}, {size} bytes"
        case Discard(extent):
            return f"discard all old content ({_range(extent)})"
        case Wipe(extents):
            return f"wipe old tables and file systems ({len(extents)} places)"
        case WriteVolume(volume, place):
            moved = f", moved from byte {volume.start}" if place.start != volume.start else ""
            return f"write {name_of(volume)} to {_range(place)}{moved}"
        case ResizeVolume(volume, size):
            how = "shrink" if size < volume.size else "grow"
            return f"{how} a copy of {name_of(volume)} from {volume.size} to {size} bytes"
        case WriteResized(volume, place):
            return f"write the resized {name_of(volume)} to {_range(place)}"
        case LeaveOut(volume):
            return f"leave out {name_of(volume)}: it has no place"
        case FinishVolumes():
            return "write the first MiB of each volume"
        case WriteArea(area):
            return f"write {_AREA_WORDS[area.kind]} to {_range(area.extent)}"
        case WriteTable(table):
            return (
                f"write the partition table ({table.kind.value.upper()},"
                f" sectors of {table.sector_size} bytes) and boot code"
            )
        case _:
            assert_never(action)


def name_of(volume: Volume) -> str:
    """``volume 2 (ntfs 'Windows')``"""
    system = volume.file_system
    label = f" {system.label!r}" if system.label else ""
    return f"volume {volume.number} ({system.kind}{label})"


_AREA_WORDS = {
    AreaKind.HEAD: "the partition table and boot code",
    AreaKind.TAIL: "the disk's end",
    AreaKind.LINK: "a link of the logical partitions",
}


def _lasting(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Without what is only done the first time: a restore that goes on does not do it again."""
    return tuple(a for a in actions if not isinstance(a, CreateImage | Discard))


def _range(extent: Extent) -> str:
    return f"bytes {extent.start} to {extent.end - 1}"
