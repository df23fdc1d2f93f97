"""NTFS's records by their number: mended together where they can be, else one by one."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pytest

from backup_agent.filesystems.files.ntfs_records import FileRecords, mended
from backup_agent.filesystems.ntfs import with_fixups

_RECORD = 1024
_FIXUPS_AT = 48


def record(number: int, *, fixups_at: int = _FIXUPS_AT, size: int = _RECORD) -> bytes:
    """One as it lies on its volume; what its sectors end with is of that record alone."""
    strides = size // 512
    data = bytearray(bytes((number + place) % 251 for place in range(size)))
    struct.pack_into("<4sHH", data, 0, b"FILE", fixups_at, strides + 1)
    counter = struct.pack("<H", number + 1)
    ends = [data[end - 2 : end] for end in range(512, size + 1, 512)]
    data[fixups_at : fixups_at + 2 * (strides + 1)] = counter + b"".join(ends)
    for end in range(512, size + 1, 512):
        data[end - 2 : end] = counter
    return bytes(data)


@dataclass
class Table:
    content: bytes

    def read_buffer_at_offset(self, size: int, offset: int, /) -> bytes:
        return self.content[offset : offset + size]


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_records_mended_together_are_those_mended_alone(size: int) -> None:
    records = [record(number, size=size) for number in range(8)]
    together = mended(b"".join(records), size)
    assert together is not None
    alone = [with_fixups(one) or b"" for one in records]
    assert [together[n * size : (n + 1) * size] for n in range(8)] == alone


@pytest.mark.parametrize(
    "odd",
    [
        record(3)[:510] + b"\xee\xee" + record(3)[512:],
        record(3)[:1022] + b"\xee\xee",
        bytes(_RECORD),
        b"BAAD" + record(3)[4:],
        record(3, fixups_at=42),
    ],
    ids=["torn in its first sector", "torn in its last sector", "unused", "given up", "unlike"],
)
def test_odd_record_spoils_none_of_its_neighbours(odd: bytes) -> None:
    records = [record(0), record(1), record(2), odd, record(4)]
    found = FileRecords(Table(b"".join(records)), _RECORD)
    assert [found.whole(n) for n in range(5)] == [with_fixups(one) for one in records]
    assert [found.stored(n) for n in range(5)] == records


def test_records_of_a_later_stretch_are_found() -> None:
    records = [record(number) for number in range(700)]
    found = FileRecords(Table(b"".join(records)), _RECORD)
    for number in (699, 0, 256, 255, 512):
        assert found.whole(number) == with_fixups(records[number])


def test_record_behind_the_tables_end_is_none() -> None:
    found = FileRecords(Table(record(0) + record(1)[:500]), _RECORD)
    assert found.whole(0) == with_fixups(record(0))
    assert found.whole(1) is None
    assert found.whole(2) is None
    assert found.stored(2) == b""
