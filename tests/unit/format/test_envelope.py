"""The wrapping around small JSON files, and limits on what decompression may make."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.envelope import decompress, unwrap, wrap

JSON = b'{"packs":[]}' * 300


def streamed(plain: bytes) -> bytes:
    """As an encoder writes it that does not know the size beforehand."""
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(plain) + compressor.flush()


@given(inside=st.binary(max_size=200), version=st.sampled_from([1, 2]))
def test_what_is_wrapped_comes_back(inside: bytes, version: int) -> None:
    json = b"{" + inside

    assert unwrap(wrap(json, version=version)) == json


def test_version_1_holds_bare_json() -> None:
    assert wrap(JSON, version=1) == JSON
    assert wrap(JSON, version=2)[:1] == b"\x02"
    assert len(wrap(JSON, version=2)) < len(JSON)


@pytest.mark.parametrize("plain", [b"", b"\x00", b"\x01{}", b"\x03{}", b"x", b" {}", b"\xff"])
def test_an_unknown_encoding_is_damage(plain: bytes) -> None:
    with pytest.raises(IntegrityError):
        unwrap(plain)


def test_streamed_frames_are_read() -> None:
    assert unwrap(b"\x02" + streamed(JSON)) == JSON


def test_skippable_frames_are_passed_over() -> None:
    skippable = bytes.fromhex("502a4d18 04000000") + b"skip"

    assert unwrap(b"\x02" + skippable + zstandard.compress(JSON)) == JSON


@pytest.mark.parametrize("compress", [zstandard.compress, streamed])
def test_a_bomb_is_stopped_at_its_limit(compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(bytes(10 << 20))
    assert len(bomb) < 2000

    with pytest.raises(IntegrityError, match="more than"):
        decompress(bomb, limit=(10 << 20) - 1)
    assert len(decompress(bomb, limit=10 << 20)) == 10 << 20


@given(data=st.data(), unsized=st.booleans())
def test_mutated_frames_are_damage_or_stay_within_the_limit(
    data: st.DataObject, unsized: bool
) -> None:
    frame = bytearray(streamed(JSON) if unsized else zstandard.compress(JSON))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(IntegrityError):
        assert len(decompress(bytes(frame), limit=len(JSON))) <= len(JSON)
