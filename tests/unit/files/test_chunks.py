"""LZX and XPRESS chunks come back as they were; damaged ones end as errors."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.bindings import _rust

from backup_agent.filesystems.files import xpress
from backup_agent.filesystems.files.lzx import CHUNK_SIZE, _Bits, decompress
from backup_agent.filesystems.files.wof_file import WofAlgorithm
from tests.helpers.foreign_volumes import (
    LZX,
    XPRESS_4K,
    XPRESS_8K,
    XPRESS_16K,
    wimlib_compress,
)

# Machine code, whose calls are translated, from the middle of a large library.
CODE = Path(_rust.__file__).read_bytes()[2 << 20 :][: 60 * CHUNK_SIZE]
CALL = b"\xe8\x10\x20\x00\x00"


def sentences(seed: int, size: int) -> bytes:
    dice = random.Random(seed)
    words = [bytes(dice.choices(b"abcdefghij ", k=dice.randrange(2, 9))) for _ in range(300)]
    return b" ".join(dice.choices(words, k=size // 3))[:size]


def round_trip(chunk: bytes) -> bytes:
    compressed = wimlib_compress(chunk, LZX)
    assert compressed, "chosen to be compressible"
    return decompress(compressed, len(chunk))


def test_machine_code_comes_back_as_it_was() -> None:
    compressed = 0
    for start in range(0, len(CODE), CHUNK_SIZE):
        chunk = CODE[start : start + CHUNK_SIZE]
        if packed := wimlib_compress(chunk, LZX):
            compressed += 1
            assert decompress(packed, len(chunk)) == chunk
    assert compressed > 20


@pytest.mark.parametrize(
    "chunk",
    [
        bytes(CHUNK_SIZE),
        b"a" * 1000,
        b"ab" * 400,
        sentences(1, CHUNK_SIZE),
        sentences(2, 700),
        CALL * (CHUNK_SIZE // 5),
    ],
)
def test_text_and_repetition_come_back(chunk: bytes) -> None:
    assert round_trip(chunk) == chunk


@pytest.mark.parametrize("distance", range(5, 20))
def test_calls_near_the_end_of_a_chunk_are_translated_as_far_as_they_were(distance: int) -> None:
    text = sentences(3, CHUNK_SIZE)
    chunk = text[:-distance] + CALL + text[: distance - 5]
    assert len(chunk) == CHUNK_SIZE
    assert round_trip(chunk) == chunk


@pytest.mark.parametrize("target", [-20000, -1, 0, 11_999_999, 12_000_001, -(1 << 31)])
def test_calls_of_any_target_come_back(target: int) -> None:
    call = b"\xe8" + target.to_bytes(4, "little", signed=True)
    chunk = (sentences(4, 100) + call) * 200
    assert round_trip(chunk) == chunk


@pytest.mark.parametrize(("taken", "padding"), [(4, 0), (12, 0), (16, 2), (20, 0)])
def test_between_bits_and_plain_bytes_there_is_padding_even_at_the_end_of_a_word(
    taken: int, padding: int
) -> None:
    before = bytes((taken + 15) // 16 * 2 + padding)
    bits = _Bits(before + struct.pack("<III", 7, 8, 9) + b"plain.rest")
    for _ in range(taken // 4):
        bits.take(4)
    assert bits.offsets() == (7, 8, 9)
    assert bits.plain(5) == b"plain"
    assert bits.plain(4) == b"rest"


def test_chunk_cut_short_is_refused() -> None:
    compressed = wimlib_compress(sentences(5, CHUNK_SIZE), LZX)
    for size in (0, 1, 2, 100, len(compressed) // 2):
        with pytest.raises(ValueError, match="LZX"):
            decompress(compressed[:size], CHUNK_SIZE)


def test_damaged_chunk_ends_as_an_error_or_has_the_right_size() -> None:
    chunk = sentences(6, CHUNK_SIZE)
    compressed = bytearray(wimlib_compress(chunk, LZX))
    dice = random.Random(7)
    refused = 0
    for _ in range(100):
        damaged = bytearray(compressed)
        for _ in range(3):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        try:
            assert len(decompress(bytes(damaged), CHUNK_SIZE)) == CHUNK_SIZE
        except ValueError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("algorithm", [XPRESS_4K, XPRESS_8K, XPRESS_16K])
def test_xpress_chunks_come_back_as_they_were(algorithm: int) -> None:
    size = WofAlgorithm(algorithm).chunk_size
    chunks = [CODE[start : start + size] for start in range(0, len(CODE), 5 * size)]
    chunks += [bytes(size), sentences(8, size), b"ab" * (size // 2), bytes(700), CALL * 300]
    compressed = 0
    for chunk in chunks:
        if packed := wimlib_compress(chunk, algorithm):
            compressed += 1
            assert xpress.decompress(packed, len(chunk)) == chunk
    assert compressed > len(chunks) // 2


def test_damaged_xpress_chunk_ends_as_an_error_or_has_the_right_size() -> None:
    chunk = sentences(9, 4096)
    compressed = wimlib_compress(chunk, XPRESS_4K)
    dice = random.Random(7)
    refused = 0
    for _ in range(100):
        damaged = bytearray(compressed)
        for _ in range(3):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
        try:
            assert len(xpress.decompress(bytes(damaged), len(chunk))) == len(chunk)
        except ValueError:
            refused += 1
    assert refused > 10
    for size in (0, 100, 256, len(compressed) // 2):
        with pytest.raises(ValueError, match="XPRESS"):
            xpress.decompress(compressed[:size], len(chunk))
