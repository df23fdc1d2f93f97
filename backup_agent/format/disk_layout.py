"""``layout.json``, ``volume.json`` and ``machine.json`` of a disk restore point.

The fields are told in docs/format-disks.md. What is decoded comes out of a
repository, which others may have written: nothing in it is believed until it
holds together, because a restore writes where it says.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

import msgspec

from backup_agent.errors import IntegrityError, UnsupportedVersionError
from backup_agent.model.disk import (
    USUAL_ENTRIES,
    Area,
    AreaKind,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionRole,
    PartitionTable,
    TableKind,
    Volume,
    contradiction,
    overlap,
)
from backup_agent.model.machine import Firmware, Machine

VERSION = 1
"""Of all three files; raised when an older program would misunderstand a newer file."""

_MIB = 1 << 20
# What 16 MiB hold, beyond which a table is not believed.
_MOST_ENTRIES = 1 << 17
_AREA_NAME = re.compile(r"(head|tail|ebr-[0-9]+)\.img")

# JSON numbers are exact up to here in every program; no disk is larger.
_Bytes = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
_Entries = Annotated[int, msgspec.Meta(gt=0, le=_MOST_ENTRIES)]
_Hex = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{1,16}$")]
_Wire = TypeVar("_Wire")


class _Version(msgspec.Struct):
    version: int


class _Extent(msgspec.Struct):
    start: _Bytes
    size: _Bytes


class _Partition(msgspec.Struct):
    number: Annotated[int, msgspec.Meta(ge=1)]
    start: _Bytes
    size: _Bytes
    type: str
    role: PartitionRole
    guid: str
    name: str
    attributes: _Hex


class _Area(msgspec.Struct):
    file: str
    kind: AreaKind
    start: _Bytes
    size: _Bytes


class _Layout(msgspec.Struct):
    version: int
    size: _Bytes
    sector_size: Annotated[int, msgspec.Meta(ge=512, le=65536, multiple_of=512)]
    physical_sector_size: int | None
    model: str
    serial: str
    table: TableKind
    id: str
    partitions: list[_Partition]
    areas: list[_Area]
    primary: _Extent | None
    flaws: list[str]
    # Only where it is not what it nearly always is: old restore points lack it.
    entries: _Entries | msgspec.UnsetType = msgspec.UNSET
    # Of a GPT, where it is known.
    first_usable: _Bytes | msgspec.UnsetType = msgspec.UNSET
    # Only where there are any.
    undivided: list[int] | msgspec.UnsetType = msgspec.UNSET


class _Volume(msgspec.Struct):
    version: int
    number: Annotated[int, msgspec.Meta(ge=0)]
    start: _Bytes
    size: _Bytes
    file_system: FileSystemKind
    label: str
    serial: str
    drive_letter: str
    cluster_size: int | None
    used_bytes: int | None
    left_out: list[str]
    part_size: Annotated[int, msgspec.Meta(gt=0, multiple_of=_MIB)]
    remarks: list[str] = []
    # Only where it is so.
    unclean: bool | msgspec.UnsetType = msgspec.UNSET


class _Machine(msgspec.Struct):
    version: int
    hostname: str
    operating_system: str
    firmware: Firmware
    tool_version: str


def encode_layout(layout: DiskLayout) -> bytes:
    """The content of ``layout.json``: the same bytes for the same layout."""
    table = layout.table
    return _encode(
        _Layout(
            version=VERSION,
            size=layout.size,
            sector_size=table.sector_size,
            physical_sector_size=layout.physical_sector_size,
            model=layout.model,
            serial=layout.serial,
            table=table.kind,
            id=table.id,
            partitions=[_wire_partition(partition) for partition in table.partitions],
            areas=[_Area(a.name, a.kind, a.extent.start, a.extent.size) for a in layout.areas],
            primary=_Extent(table.primary.start, table.primary.size) if table.primary else None,
            flaws=list(table.flaws),
            entries=msgspec.UNSET if table.entries == USUAL_ENTRIES else table.entries,
            first_usable=table.first_usable or msgspec.UNSET,
            undivided=list(table.undivided) or msgspec.UNSET,
        )
    )


def decode_layout(data: bytes) -> DiskLayout:
    """The layout in a ``layout.json``.

    Raises :class:`IntegrityError` for one that cannot be true,
    :class:`UnsupportedVersionError` for one of a newer program.
    """
    wire = _decode(data, _Layout, "layout.json")
    areas = tuple(Area(a.file, a.kind, Extent(a.start, a.size)) for a in wire.areas)
    tails = [area.extent for area in areas if area.kind is AreaKind.TAIL]
    layout = DiskLayout(
        size=wire.size,
        table=PartitionTable(
            kind=wire.table,
            sector_size=wire.sector_size,
            id=wire.id,
            partitions=tuple(_partition(partition) for partition in wire.partitions),
            primary=Extent(wire.primary.start, wire.primary.size) if wire.primary else None,
            backup=tails[0] if tails and wire.table is TableKind.GPT else None,
            links=tuple(area.extent for area in areas if area.kind is AreaKind.LINK),
            flaws=tuple(wire.flaws),
            entries=USUAL_ENTRIES if wire.entries is msgspec.UNSET else wire.entries,
            first_usable=0 if wire.first_usable is msgspec.UNSET else wire.first_usable,
            undivided=() if wire.undivided is msgspec.UNSET else tuple(wire.undivided),
        ),
        areas=areas,
        physical_sector_size=wire.physical_sector_size,
        model=wire.model,
        serial=wire.serial,
    )
    if problem := _layout_problem(layout):
        raise IntegrityError(f"layout.json cannot be true: {problem}")
    return layout


def encode_volume(volume: Volume) -> bytes:
    """The content of ``volume.json``: the same bytes for the same volume."""
    return _encode(
        _Volume(
            version=VERSION,
            number=volume.number,
            start=volume.start,
            size=volume.size,
            file_system=volume.file_system.kind,
            label=volume.file_system.label,
            serial=volume.file_system.serial,
            drive_letter=volume.drive_letter,
            cluster_size=volume.file_system.cluster_size,
            used_bytes=volume.used_bytes,
            left_out=list(volume.left_out),
            part_size=volume.part_size,
            remarks=list(volume.remarks),
            unclean=volume.unclean or msgspec.UNSET,
        )
    )


def decode_volume(data: bytes) -> Volume:
    """The volume in a ``volume.json``. Raises as :func:`decode_layout` does."""
    wire = _decode(data, _Volume, "volume.json")
    return Volume(
        number=wire.number,
        start=wire.start,
        size=wire.size,
        file_system=FileSystem(wire.file_system, wire.label, wire.serial, wire.cluster_size),
        drive_letter=wire.drive_letter,
        used_bytes=wire.used_bytes,
        left_out=tuple(wire.left_out),
        remarks=tuple(wire.remarks),
        unclean=wire.unclean is True,
        part_size=wire.part_size,
    )


def encode_machine(machine: Machine) -> bytes:
    """The content of ``machine.json``."""
    return _encode(
        _Machine(
            version=VERSION,
            hostname=machine.hostname,
            operating_system=machine.operating_system,
            firmware=machine.firmware,
            tool_version=machine.tool_version,
        )
    )


def decode_machine(data: bytes) -> Machine:
    """The computer in a ``machine.json``. Raises as :func:`decode_layout` does."""
    wire = _decode(data, _Machine, "machine.json")
    return Machine(wire.hostname, wire.operating_system, wire.firmware, wire.tool_version)


def _encode(wire: msgspec.Struct) -> bytes:
    # People open these files after a stock restic restore.
    return msgspec.json.format(msgspec.json.encode(wire), indent=2) + b"\n"


def _decode(data: bytes, kind: type[_Wire], name: str) -> _Wire:
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version > VERSION:
            raise UnsupportedVersionError(
                f"{name} has version {version}; this program knows up to {VERSION}.",
                hint="Use a newer Everboot.",
            )
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as exc:
        raise IntegrityError(f"{name} cannot be read: {exc}") from exc


def _wire_partition(partition: Partition) -> _Partition:
    return _Partition(
        number=partition.number,
        start=partition.start,
        size=partition.size,
        type=partition.type,
        role=partition.role,
        guid=partition.guid,
        name=partition.name,
        # In hex, because GPT's top bits are beyond what JSON numbers hold everywhere.
        attributes=f"{partition.attributes:#x}",
    )


def _partition(wire: _Partition) -> Partition:
    return Partition(
        number=wire.number,
        start=wire.start,
        size=wire.size,
        type=wire.type,
        role=wire.role,
        guid=wire.guid,
        name=wire.name,
        attributes=int(wire.attributes, 16),
    )


def _layout_problem(layout: DiskLayout) -> str:
    """What would make a restore write in the wrong place; empty if nothing."""
    table = layout.table
    numbers = [partition.number for partition in table.partitions]
    if len(set(numbers)) != len(numbers):
        return "Two partitions have the same number."
    if table.kind is TableKind.NONE and (table.partitions or layout.areas):
        return "A disk without a partition table has partitions."
    for area in layout.areas:
        if not _AREA_NAME.fullmatch(area.name):
            return f"It names a file that is none of a disk's: {area.name!r}."
        if area.extent.end > layout.size:
            return f"{area.name} lies behind the disk's end."
    if any(partition.start < table.first_usable for partition in table.partitions):
        return "A partition begins before the first byte that the table lets it use."
    volumes = [partition for partition in table.partitions if partition.holds_volume]
    return contradiction(table, layout.size) or overlap(volumes, [a.extent for a in layout.areas])
