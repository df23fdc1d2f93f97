"""Pack headers: what goes in comes out, anything else is damage."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.crypto.cipher import OVERHEAD
from backup_agent.errors import IntegrityError
from backup_agent.format.pack import (
    BlobKind,
    PackedBlob,
    decode_header,
    encode_header,
    encode_length,
    header_length,
)
from backup_agent.model.ids import BlobId

ENTRIES = st.lists(
    st.tuples(
        st.binary(min_size=32, max_size=32),
        st.sampled_from(BlobKind),
        st.integers(OVERHEAD + 1, 1 << 20),
        st.integers(0, (1 << 32) - 1),
    ),
    max_size=20,
)
Entries = list[tuple[bytes, BlobKind, int, int]]


def packed(entries: Entries) -> tuple[PackedBlob, ...]:
    blobs: list[PackedBlob] = []
    offset = 0
    for blob_id, kind, length, raw_length in entries:
        blobs.append(PackedBlob(BlobId(blob_id), kind, offset, length, raw_length))
        offset += length
    return tuple(blobs)


def end_of(blobs: tuple[PackedBlob, ...]) -> int:
    return sum(blob.length for blob in blobs)


@given(ENTRIES)
def test_a_header_comes_back(entries: Entries) -> None:
    blobs = packed(entries)

    assert decode_header(encode_header(blobs), blobs_end=end_of(blobs)) == blobs


def test_a_header_is_laid_out_as_the_design_has_it() -> None:
    blobs = packed(
        [
            (b"\x01" * 32, BlobKind.DATA, 100, 0),
            (b"\x02" * 32, BlobKind.TREE, 200, 0),
            (b"\x03" * 32, BlobKind.DATA, 300, 1000),
            (b"\x04" * 32, BlobKind.TREE, 400, 2000),
        ]
    )

    assert encode_header(blobs) == (
        bytes.fromhex("00 64000000") + b"\x01" * 32
        + bytes.fromhex("01 c8000000") + b"\x02" * 32
        + bytes.fromhex("02 2c010000 e8030000") + b"\x03" * 32
        + bytes.fromhex("03 90010000 d0070000") + b"\x04" * 32
    )  # fmt: skip
    assert [blob.plain_length for blob in blobs] == [100 - OVERHEAD, 200 - OVERHEAD, 1000, 2000]


@given(entries=ENTRIES, data=st.data())
def test_a_header_cut_short_is_damage(entries: Entries, data: st.DataObject) -> None:
    blobs = packed(entries)
    plain = encode_header(blobs)
    size = data.draw(st.integers(0, max(0, len(plain) - 1)))

    if plain:
        with pytest.raises(IntegrityError):
            decode_header(plain[:size], blobs_end=end_of(blobs))


@given(plain=st.binary(max_size=200), end=st.integers(0, 1 << 33))
def test_any_bytes_are_a_header_or_damage(plain: bytes, end: int) -> None:
    try:
        blobs = decode_header(plain, blobs_end=end)
    except IntegrityError:
        return
    assert end_of(blobs) == end
    assert encode_header(blobs)[:1] == plain[:1]


@pytest.mark.parametrize("change", [-1, 1])
def test_a_header_that_does_not_fit_its_pack_is_damage(change: int) -> None:
    blobs = packed([(bytes(32), BlobKind.DATA, 100, 0)])

    with pytest.raises(IntegrityError):
        decode_header(encode_header(blobs), blobs_end=100 + change)


@pytest.mark.parametrize(
    ("claimed", "pack_size"),
    [(0, 1000), (OVERHEAD - 1, 1000), (997, 1000), (1 << 31, 1000), ((16 << 20) + 1, 1 << 30)],
)
def test_an_impossible_header_length_is_damage(claimed: int, pack_size: int) -> None:
    with pytest.raises(IntegrityError):
        header_length(struct.pack("<I", claimed), file_size=pack_size)


def test_the_headers_length_comes_back() -> None:
    assert header_length(encode_length(b"x" * 996), file_size=1000) == 996
