"""Index files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.index import IndexedPack, decode_index, encode_index
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.ids import BlobId, PackId

ID = "ab" * 32
UINT32 = (1 << 32) - 1

blobs = st.builds(
    PackedBlob,
    st.binary(min_size=32, max_size=32).map(BlobId),
    st.sampled_from(BlobKind),
    st.integers(0, UINT32),
    st.integers(1, UINT32),
    st.integers(0, UINT32),
)
packs = st.builds(
    IndexedPack,
    st.binary(min_size=32, max_size=32).map(lambda raw: PackId(raw.hex())),
    st.lists(blobs, max_size=4).map(tuple),
)


@given(st.lists(packs, max_size=4).map(tuple))
def test_an_index_comes_back(index: tuple[IndexedPack, ...]) -> None:
    assert decode_index(encode_index(index)) == index


def test_an_index_reads_as_restics_design_has_it() -> None:
    # Fields in the design document's order, "supersedes" included.
    text = {
        "supersedes": ["cd" * 32],
        "packs": [
            {
                "id": ID,
                "blobs": [
                    {"id": "01" * 32, "type": "data", "offset": 0, "length": 38},
                    {
                        "id": "02" * 32,
                        "type": "tree",
                        "offset": 38,
                        "length": 112,
                        "uncompressed_length": 511,
                    },
                ],
            }
        ],
    }

    (pack,) = decode_index(json.dumps(text).encode())

    assert pack.id == ID
    assert pack.blobs == (
        PackedBlob(BlobId(b"\x01" * 32), BlobKind.DATA, 0, 38, 0),
        PackedBlob(BlobId(b"\x02" * 32), BlobKind.TREE, 38, 112, 511),
    )


@pytest.mark.parametrize("text", [b"{}", b'{"packs":null}', b'{"packs":[]}'])
def test_an_empty_index_is_none_the_worse(text: bytes) -> None:
    assert decode_index(text) == ()


def one_blob(**changes: object) -> bytes:
    blob = {"id": "01" * 32, "type": "data", "offset": 0, "length": 38} | changes
    return json.dumps({"packs": [{"id": ID, "blobs": [blob]}]}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b'{"packs":[{"id":"%s","blobs":[]}]}' % (b"../" * 21 + b"x"),
        b'{"packs":[{"id":"abcd","blobs":[]}]}',
        b'{"packs":[{"id":"%s","blobs":[]}]}' % (b"AB" * 32),
        one_blob(type="parity"),
        one_blob(id="zz" * 32),
        one_blob(id="01 " * 21 + "0"),
        one_blob(offset=-1),
        one_blob(length=0),
        one_blob(offset=1 << 32),
        one_blob(length=1 << 40),
        one_blob(uncompressed_length=1 << 32),
        one_blob(uncompressed_length=-1),
        one_blob(length="38"),
    ],
)
def test_what_is_no_index_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_index(text)


@given(
    index=st.lists(packs, min_size=1, max_size=2).map(tuple),
    data=st.data(),
)
def test_a_mutated_index_is_an_index_or_damage(
    index: tuple[IndexedPack, ...], data: st.DataObject
) -> None:
    text = bytearray(encode_index(index))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = decode_index(bytes(text))
    except IntegrityError:
        return
    assert decode_index(encode_index(found)) == found
