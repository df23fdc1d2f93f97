"""NTFS's master file table: every file's record, found by its number.

The boot sector says where the table starts; its own first record says where
the rest of it lies. A file whose attributes do not fit one record keeps a list
of them (0x20), which names the other records: 0 u32 type, 4 u16 length, 6 u8
and 7 u8 name, 8 u64 first virtual cluster, 16 u64 record.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.ntfs_record import (
    ATTRIBUTE_LIST,
    BITMAP,
    DATA,
    Attribute,
    Record,
    Run,
    parse_record,
    reference,
)
from backup_agent.filesystems.used.volume_window import VolumeWindow

_PIECE = 4 << 20
_LIST_ENTRY = struct.Struct("<IHBBQQ")
# Windows keeps these lists below 256 KiB.
_MOST_LIST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class NtfsGeometry:
    """Out of the boot sector; sizes in bytes."""

    cluster_size: int
    clusters: int
    record_size: int
    mft_cluster: int


@dataclass(frozen=True, slots=True)
class Content:
    """All runs of one attribute in order, and its bytes; ``value`` instead if it is resident."""

    runs: tuple[Run, ...]
    size: int
    written: int
    value: bytes | None = None


def read_geometry(volume: VolumeWindow) -> NtfsGeometry:
    """What the boot sector says. Raises :class:`SpaceUnknownError` if it makes no sense."""
    boot = volume.read(0, 512)
    sector_size, code = struct.unpack_from("<HB", boot, 11)
    sectors, mft_cluster, record_code = struct.unpack_from("<QQ8xb", boot, 40)
    cluster_size = sector_size * (code if code <= 0x80 else 1 << min(256 - code, 16))
    if not _is_power_of_two(cluster_size) or not 256 <= cluster_size <= 2 << 20:
        raise SpaceUnknownError("Its boot sector makes no sense.")
    record_size = record_code * cluster_size if record_code > 0 else 1 << min(-record_code, 16)
    if not _is_power_of_two(record_size) or not 512 <= record_size <= 64 << 10:
        raise SpaceUnknownError("Its boot sector makes no sense.")
    clusters = sectors * sector_size // cluster_size
    if not 0 < clusters * cluster_size <= volume.size or mft_cluster >= clusters:
        raise SpaceUnknownError("Its boot sector speaks of another size than the volume has.")
    return NtfsGeometry(cluster_size, clusters, record_size, mft_cluster)


class MasterFileTable:
    """The records of one volume."""

    def __init__(self, volume: VolumeWindow, geometry: NtfsGeometry) -> None:
        """Raises :class:`SpaceUnknownError` where the table does not hold together."""
        self._volume = volume
        self._geometry = geometry
        # Enough to read the table's own record; that one says where the others are.
        records = -(-geometry.record_size // geometry.cluster_size)
        self._runs: tuple[Run, ...] = (Run(geometry.mft_cluster, records),)
        own = self._own_content()
        self._size = min(own.written, own.size)

    def record(self, number: int) -> Record | None:
        """The record of that number, if it is in use."""
        size = self._geometry.record_size
        return parse_record(self.read(self._runs, number * size, size))

    def content(self, number: int, kind: int, name: str) -> Content | None:
        """One attribute of a file, put together from all of its records."""
        record = self.record(number)
        if record is None or record.base is not None:
            return None
        return _joined([part for part in self._parts(record, number, kind) if part.name == name])

    def attributes(self, number: int, kind: int) -> Iterator[Attribute]:
        """All attributes of a file of that type, from all of its records."""
        record = self.record(number)
        if record is not None and record.base is None:
            yield from self._parts(record, number, kind)

    def _parts(self, record: Record, number: int, kind: int) -> Iterator[Attribute]:
        yield from record.attributes(kind)
        for listed in self._listed(record, number, kind):
            yield from listed.attributes(kind)

    def records(self) -> Iterator[tuple[int, Record | None]]:
        """Every record in use, in order; ``None`` for those that are damaged."""
        size = self._geometry.record_size
        in_use = self._in_use()
        for start in range(0, self._size, _PIECE):
            piece = self.read(self._runs, start, min(_PIECE, self._size - start))
            for place in range(0, len(piece) - size + 1, size):
                number = (start + place) // size
                try:
                    record = parse_record(piece[place : place + size])
                except SpaceUnknownError:
                    # The table is longer than what was ever written of it.
                    if number >> 3 < len(in_use) and in_use[number >> 3] >> (number & 7) & 1:
                        yield number, None
                    continue
                if record is not None:
                    yield number, record

    def _in_use(self) -> bytes:
        """One bit a record, by the table's own account; none if it cannot be read."""
        try:
            bitmap = self.content(0, BITMAP, "")
            if bitmap is None:
                return b""
            if bitmap.value is not None:
                return bitmap.value
            return self.read(bitmap.runs, 0, min(bitmap.size, self._size))
        except SpaceUnknownError:
            return b""

    def read(self, runs: Sequence[Run], start: int, size: int) -> bytes:
        """Bytes of a content that lies in those runs. Raises :class:`SpaceUnknownError`."""
        cluster_size = self._geometry.cluster_size
        pieces: list[bytes] = []
        run_start = 0
        for run in runs:
            run_size = run.count * cluster_size
            inside = start - run_start
            if inside < run_size and size:
                length = min(run_size - inside, size)
                if run.first is None:
                    raise SpaceUnknownError("There are holes in its own records.")
                pieces.append(self._volume.read(run.first * cluster_size + inside, length))
                start += length
                size -= length
            run_start += run_size
        if size:
            raise SpaceUnknownError("Its own records end too early.")
        return b"".join(pieces)

    def _own_content(self) -> Content:
        """The table's own content: its list names records that lie in what is known so far."""
        record = self.record(0)
        if record is None:
            raise SpaceUnknownError("Its master file table is not where it should be.")
        parts = [part for part in record.attributes(DATA) if not part.name]
        own = _joined(parts)
        if own is None or own.value is not None:
            raise SpaceUnknownError("Its master file table does not say where it lies.")
        self._runs = own.runs
        for listed in self._listed(record, 0, DATA):
            parts += [part for part in listed.attributes(DATA) if not part.name]
            own = _joined(parts)
            assert own is not None
            self._runs = own.runs
        return own

    def _listed(self, record: Record, number: int, kind: int) -> Iterator[Record]:
        """The other records with attributes of that type."""
        for entries in record.attributes(ATTRIBUTE_LIST):
            seen = {number}
            for other in _list_entries(self._list_bytes(entries), kind):
                if other in seen:
                    continue
                seen.add(other)
                found = self.record(other)
                if found is None or found.base != number:
                    raise SpaceUnknownError("A file's list of attributes names a record in vain.")
                yield found

    def _list_bytes(self, entries: Attribute) -> bytes:
        if entries.value is not None:
            return entries.value
        if entries.size > _MOST_LIST_BYTES:
            raise SpaceUnknownError("A file's list of attributes makes no sense.")
        return self.read(entries.runs, 0, entries.size)


def _list_entries(data: bytes, kind: int) -> Iterator[int]:
    """Numbers of the records that hold attributes of that type, in the list's order."""
    place = 0
    while place + _LIST_ENTRY.size <= len(data):
        entry_kind, length, _, _, _, raw = _LIST_ENTRY.unpack_from(data, place)
        if length < _LIST_ENTRY.size:
            return
        if entry_kind == kind:
            yield reference(raw)
        place += length


def _joined(parts: Sequence[Attribute]) -> Content | None:
    """One content out of its parts, which must follow each other without a gap."""
    if not parts:
        return None
    if parts[0].value is not None:
        value = parts[0].value
        return Content((), len(value), len(value), value)
    runs: list[Run] = []
    vcn = 0
    in_order = sorted(parts, key=lambda part: part.first_vcn)
    for part in in_order:
        if part.first_vcn != vcn:
            raise SpaceUnknownError("A file's list of clusters has a gap.")
        runs += part.runs
        vcn += sum(run.count for run in part.runs)
    return Content(tuple(runs), in_order[0].size, in_order[0].written)


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0
