"""Disks as values: what a computer has, how a disk is divided, what its volumes hold.

Every ``start`` and ``size`` is in bytes, counted from the disk's first byte
unless said otherwise; sectors appear only as ``sector_size``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

PART_SIZE = 1 << 30
"""Bytes of a volume's image in one part file: an unchanged GiB adds nothing to a repository."""

USUAL_ENTRIES = 128
"""Of a GPT: the 16 KiB that the UEFI Specification asks for."""


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A run of bytes."""

    start: int
    size: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of this computer, or an image file standing in for one.

    ``path`` opens it. ``identity`` is an absolute path that means the same
    disk after a restart, too, where the system offers one; restore points
    carry it. Empty texts are unknown.
    """

    path: str
    identity: str
    size: int
    sector_size: int | None
    """Bytes of a logical sector; ``None`` for an image file, which does not say."""
    physical_sector_size: int | None = None
    model: str = ""
    serial: str = ""
    transport: str = ""
    """``sata``, ``nvme``, ``usb`` …"""
    removable: bool = False
    read_only: bool = False
    is_image: bool = False


class TableKind(StrEnum):
    """How a disk is divided."""

    GPT = "gpt"
    MBR = "mbr"
    NONE = "none"
    """Not at all: one volume fills the disk (USB sticks, data disks of virtual machines)."""


class PartitionRole(StrEnum):
    PRIMARY = "primary"
    """Every GPT partition is one."""
    EXTENDED = "extended"
    """An MBR partition that only holds logical ones."""
    LOGICAL = "logical"


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry of a partition table.

    ``number`` counts as Linux does: the slot of a GPT or primary MBR entry
    from 1, logical partitions from 5. ``type`` is a GUID in capitals, or two
    hex digits. ``attributes`` are GPT's 64 bits, or an MBR entry's status byte
    (0x80: active). ``guid`` and ``name`` are GPT's.
    """

    number: int
    start: int
    size: int
    type: str
    role: PartitionRole = PartitionRole.PRIMARY
    guid: str = ""
    name: str = ""
    attributes: int = 0

    @property
    def extent(self) -> Extent:
        return Extent(self.start, self.size)

    @property
    def holds_volume(self) -> bool:
        return self.role is not PartitionRole.EXTENDED


@dataclass(frozen=True, slots=True)
class PartitionTable:
    """What a disk's table says, checked: partitions lie on the disk and do not overlap.

    ``id`` is the disk GUID in capitals, or the MBR signature as 8 hex digits.
    ``partitions`` are sorted by number. ``primary`` and ``backup`` are where
    GPT's two copies lie (header and entries), if whole. ``links`` are the
    sectors that chain the logical partitions, in the chain's order. ``flaws``
    say in words what is wrong with a table that could be read all the same.
    ``entries`` is how many partitions a GPT has room for; ``first_usable`` the first byte
    that it lets them use, 0 where that is not known. ``undivided`` are the volumes (0: all of
    the disk) that may hold partitions, too, though what divides them is not believed.
    """

    kind: TableKind
    sector_size: int
    id: str = ""
    partitions: tuple[Partition, ...] = ()
    primary: Extent | None = None
    backup: Extent | None = None
    links: tuple[Extent, ...] = ()
    flaws: tuple[str, ...] = ()
    entries: int = USUAL_ENTRIES
    first_usable: int = 0
    undivided: tuple[int, ...] = ()


class AreaKind(StrEnum):
    HEAD = "head"
    """Sector 0 to the first partition: table, boot code, whatever boot loaders keep in the gap."""
    TAIL = "tail"
    """GPT's second copy; the last MiB of a disk with an MBR."""
    LINK = "link"
    """A sector that chains logical partitions."""


@dataclass(frozen=True, slots=True)
class Area:
    """A stretch of disk outside the volumes that is kept byte for byte, under a file name."""

    name: str
    kind: AreaKind
    extent: Extent


@dataclass(frozen=True, slots=True)
class DiskLayout:
    """All there is to know of a disk except the bytes of its areas and volumes."""

    size: int
    table: PartitionTable
    areas: tuple[Area, ...]
    physical_sector_size: int | None = None
    model: str = ""
    serial: str = ""


class FileSystemKind(StrEnum):
    NTFS = "ntfs"
    FAT12 = "fat12"
    FAT16 = "fat16"
    FAT32 = "fat32"
    EXFAT = "exfat"
    EXT2 = "ext2"
    EXT3 = "ext3"
    EXT4 = "ext4"
    SWAP = "swap"
    LUKS = "luks"
    BITLOCKER = "bitlocker"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FileSystem:
    """What stands at a volume's start. Texts are empty and sizes ``None`` where unknown.

    ``serial`` is written as people know it: ``1234-ABCD`` (FAT, exFAT), 16 hex
    digits (NTFS), a UUID (the others).
    """

    kind: FileSystemKind
    label: str = ""
    serial: str = ""
    cluster_size: int | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """What one partition holds, numbered like it; 0 is the volume of an undivided disk.

    ``used_bytes`` is ``None`` where every byte is stored, used or not.
    ``left_out`` names the files inside that were not stored, though their
    clusters are used; ``remarks`` say what was found wrong with the volume.
    ``unclean``: not cleanly unmounted, so that its journal may know better.
    """

    number: int
    start: int
    size: int
    file_system: FileSystem
    drive_letter: str = ""
    used_bytes: int | None = None
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unclean: bool = False
    part_size: int = PART_SIZE

    @property
    def extent(self) -> Extent:
        return Extent(self.start, self.size)

    def parts(self) -> Iterator[Extent]:
        """The pieces its image is stored in, counted from the volume's start."""
        for start in range(0, self.size, self.part_size):
            yield Extent(start, min(self.part_size, self.size - start))


def contradiction(table: PartitionTable, disk_size: int) -> str:
    """What in a table cannot be true of a disk of that size, as a sentence; empty if nothing."""
    for partition in table.partitions:
        if partition.extent.end > disk_size:
            return (
                f"Partition {partition.number} ends at byte {partition.extent.end},"
                f" behind the disk's end at {disk_size}."
            )
    outer = [p for p in table.partitions if p.role is not PartitionRole.LOGICAL]
    volumes = [p for p in table.partitions if p.holds_volume]
    own = [Extent(0, table.sector_size), *table.links]
    own += [copy for copy in (table.primary, table.backup) if copy]
    return overlap(outer, ()) or overlap(volumes, own)


def overlap(partitions: Iterable[Partition], table: Iterable[Extent]) -> str:
    """The first overlap of partitions with each other or the table's own bytes, as a sentence.

    Empty if there is none; the table's extents may overlap each other.
    """
    named = [(extent, "the partition table") for extent in joined(table)]
    named += [(partition.extent, f"partition {partition.number}") for partition in partitions]
    named.sort()
    for (extent, name), (following, other) in pairwise(named):
        if following.start < extent.end:
            return f"In the partition table, {other} overlaps {name} at byte {following.start}."
    return ""


def joined(extents: Iterable[Extent]) -> Iterator[Extent]:
    """The same bytes in as few extents as possible, sorted."""
    pending: Extent | None = None
    for extent in sorted(extents):
        if pending is not None and extent.start <= pending.end:
            end = max(pending.end, extent.end)
            pending = Extent(pending.start, end - pending.start)
            continue
        if pending is not None:
            yield pending
        pending = extent
    if pending is not None:
        yield pending
