"""Cuts at every MiB, zeros in halves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backup_agent.chunking.fixed import BLOCK, ZERO_BLOB, cut, is_zero

NOISE = random.Random(1).randbytes(BLOCK)


@given(
    blocks=st.lists(st.booleans(), max_size=5),
    tail=st.integers(0, BLOCK - 1),
    last=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_every_mib_is_a_blob_or_two_of_zeros(blocks: list[bool], tail: int, last: bool) -> None:
    data = b"".join(NOISE if noisy else bytes(BLOCK) for noisy in blocks) + bytes(tail)
    expected: list[int] = []
    for noisy in blocks:
        expected += [BLOCK] if noisy else [ZERO_BLOB, ZERO_BLOB]
    if last and tail:
        expected.append(tail)

    assert cut(memoryview(data), last=last) == expected


@pytest.mark.parametrize("position", [0, 63, 64, 65, BLOCK // 2, BLOCK - 1])
def test_one_bit_anywhere_makes_a_block_no_zeros(position: int) -> None:
    block = bytearray(BLOCK)
    assert is_zero(memoryview(block))
    block[position] = 1

    assert not is_zero(memoryview(block))
    assert cut(memoryview(block), last=False) == [BLOCK]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 512])
def test_short_zeros_are_zeros(size: int) -> None:
    assert is_zero(memoryview(bytes(size)))
