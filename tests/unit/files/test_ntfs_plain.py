"""Ordinary NTFS records, and all that is not taken for one."""

from __future__ import annotations

import struct

import pytest

from backup_agent.filesystems.files.ntfs_plain import plain_record
from backup_agent.filesystems.ntfs import with_fixups
from tests.helpers.disk_images import MIB
from tests.helpers.volumes import make_file_system, put_ntfs

_RECORD = 1024
_FIRST_OWN = 64


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Of a file with 5000 bytes."""
    folder = tmp_path_factory.mktemp("plain")
    volume = make_file_system(folder / "volume", 16 * MIB, "mkntfs", "-Q", "-F")
    (folder / "file").write_bytes(b"x" * 5000)
    put_ntfs(volume, folder / "file", "file")
    data = volume.read_bytes()
    start = int.from_bytes(data[48:56], "little") * 4096 + _FIRST_OWN * _RECORD
    whole = with_fixups(data[start : start + _RECORD])
    assert whole is not None
    return whole


def attribute(record: bytes, kind: int) -> int:
    """Where the first attribute of that type begins."""
    (place,) = struct.unpack_from("<H", record, 20)
    while True:
        found, length = struct.unpack_from("<II", record, place)
        assert found != 0xFFFFFFFF
        if found == kind:
            return int(place)
        place += length


def with_bytes(record: bytes, place: int, data: bytes) -> bytes:
    return record[:place] + data + record[place + len(data) :]


def test_ordinary_file_is_told_from_its_record(record: bytes) -> None:
    plain = plain_record(record, 1)
    assert plain is not None
    assert (plain.is_folder, plain.size, plain.links) == (False, 5000, 1)
    assert plain.modified > 116_444_736_000_000_000


def test_record_that_was_used_anew_is_another_file(record: bytes) -> None:
    assert plain_record(record, 2) is None


@pytest.mark.parametrize("flag", [0x400, 0x4000], ids=["reparse point", "encrypted"])
def test_file_whose_content_is_elsewhere_is_not_plain(record: bytes, flag: int) -> None:
    place = attribute(record, 0x10)
    (offset,) = struct.unpack_from("<H", record, place + 20)
    assert plain_record(with_bytes(record, place + offset + 32, struct.pack("<I", flag)), 1) is None


@pytest.mark.parametrize("kind", [0x20, 0xC0, 0x777])
def test_attribute_that_changes_what_a_file_is_makes_it_not_plain(record: bytes, kind: int) -> None:
    place = attribute(record, 0x50)
    assert plain_record(with_bytes(record, place, struct.pack("<I", kind)), 1) is None


@pytest.mark.parametrize("length", [0, 8, 5000, 0xFFFFFFFF])
def test_attribute_with_a_wild_length_makes_a_record_not_plain(record: bytes, length: int) -> None:
    place = attribute(record, 0x30)
    assert plain_record(with_bytes(record, place + 4, struct.pack("<I", length)), 1) is None


def test_named_stream_is_left_to_those_who_know_its_name(record: bytes) -> None:
    place = attribute(record, 0x80)
    assert plain_record(with_bytes(record, place + 9, b"\4"), 1) is None
