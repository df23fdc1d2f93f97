"""One file record of NTFS: its attributes, and the runs of clusters their content lies in.

A record, little endian: 0 "FILE", 4 u16 and 6 u16 the fixups, 20 u16 first
attribute, 22 u16 flags (1: in use), 24 u32 bytes used, 32 u64 the record it
extends (its number in the lower 48 bits).
An attribute: 0 u32 type, 4 u32 length, 8 u8 non-resident, 9 u8 and 10 u16 name;
resident: 16 u32 and 20 u16 value; non-resident: 16 u64 first virtual cluster,
32 u16 runs, 48 u64 size, 56 u64 how much of it was ever written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError

ATTRIBUTE_LIST = 0x20
FILE_NAME = 0x30
VOLUME_INFORMATION = 0x70
DATA = 0x80
BITMAP = 0xB0
_END = 0xFFFFFFFF
_STRIDE = 512
_REFERENCE = (1 << 48) - 1
_HEADER = struct.Struct("<4sHHQHHHHIIQ")
_ATTRIBUTE = struct.Struct("<IIBBH")
_VALUE = struct.Struct("<IH")
_EXTENT = struct.Struct("<QQH6xQQQ")


@dataclass(frozen=True, slots=True)
class Run:
    """Clusters in a row. ``first`` is ``None`` for a hole, which has none."""

    first: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """``value`` of a resident one; of others, ``runs`` from ``first_vcn`` on.

    ``size`` and ``written`` are bytes of the whole content, told only where ``first_vcn`` is 0.
    """

    kind: int
    name: str
    value: bytes | None
    first_vcn: int = 0
    runs: tuple[Run, ...] = ()
    size: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record in use. ``base``: the record it extends; ``None`` if it stands for itself."""

    base: int | None
    first_attribute: int
    data: bytes

    def attributes(
        self, wanted: int | None = None, *, resident: int | None = None
    ) -> Iterator[Attribute]:
        """All of them, or those of one type; ``resident``: of resident ones only that type.

        Raises :class:`SpaceUnknownError` for nonsense.
        """
        data, place, end = self.data, self.first_attribute, len(self.data)
        while place + 16 <= end:
            kind, length, non_resident, name_length, name_place = _ATTRIBUTE.unpack_from(
                data, place
            )
            if kind == _END:
                return
            if length < 24 or length % 8 or place + length > end:
                raise SpaceUnknownError("A file record contradicts itself.")
            if kind == wanted or (
                wanted is None and (non_resident or resident is None or kind == resident)
            ):
                attribute = data[place : place + length]
                name = ""
                if name_length:
                    raw = attribute[name_place : name_place + 2 * name_length]
                    name = raw.decode("utf-16-le", "replace")
                yield (
                    _non_resident(kind, name, attribute)
                    if non_resident
                    else _resident(kind, name, attribute)
                )
            place += length


def parse_record(data: bytes) -> Record | None:
    """The record; ``None`` if none is in use there.

    Raises :class:`SpaceUnknownError` for one that is damaged, or was never written.

    The last two bytes of each 512 were replaced by a counter when the record
    was written, so that a torn write shows; here they are put back.
    """
    magic, fixups, count, _, _, _, first, flags, _, _, base = _HEADER.unpack_from(data)
    if magic != b"FILE":
        # "BAAD" is what Windows makes of a torn one.
        raise SpaceUnknownError("A file record is damaged.")
    if not flags & 1:
        return None
    strides = len(data) // _STRIDE
    if count != strides + 1 or fixups + 2 * count > len(data) or first < _HEADER.size:
        raise SpaceUnknownError("A file record contradicts itself.")
    whole = bytearray(data)
    counter = data[fixups : fixups + 2]
    for stride in range(1, count):
        end = stride * _STRIDE
        if data[end - 2 : end] != counter:
            raise SpaceUnknownError("A file record was torn while it was written.")
        whole[end - 2 : end] = data[fixups + 2 * stride : fixups + 2 * stride + 2]
    return Record(base & _REFERENCE if base else None, first, bytes(whole))


def reference(raw: int) -> int:
    """The record's number in a reference; the rest counts how often it was used."""
    return raw & _REFERENCE


def _resident(kind: int, name: str, attribute: bytes) -> Attribute:
    length, place = _VALUE.unpack_from(attribute, 16)
    if place + length > len(attribute):
        raise SpaceUnknownError("A file record contradicts itself.")
    return Attribute(kind, name, attribute[place : place + length])


def _non_resident(kind: int, name: str, attribute: bytes) -> Attribute:
    if len(attribute) < 64:
        raise SpaceUnknownError("A file record contradicts itself.")
    first_vcn, _, place, _, size, written = _EXTENT.unpack_from(attribute, 16)
    runs = _decode_runs(attribute, place)
    return Attribute(kind, name, None, first_vcn, runs, size, written)


def _decode_runs(data: bytes, place: int) -> tuple[Run, ...]:
    """Pairs of how many and where (counted from the one before), each as short as it can be."""
    runs: list[Run] = []
    cluster = 0
    end = len(data)
    while place < end and (head := data[place]):
        counted, located = head & 0x0F, head >> 4
        middle = place + 1 + counted
        place = middle + located
        if not 1 <= counted <= 8 or located > 8 or place > end:
            break
        count = int.from_bytes(data[middle - counted : middle], "little")
        if located:
            cluster += int.from_bytes(data[middle:place], "little", signed=True)
        if count < 1 or count >= 1 << 56 or cluster < 0:
            break
        runs.append(Run(cluster if located else None, count))
    else:
        return tuple(runs)
    raise SpaceUnknownError("A file's list of clusters makes no sense.")
