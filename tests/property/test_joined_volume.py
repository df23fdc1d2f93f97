"""A volume joined of pieces reads as one that was written plainly."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import TargetTooSmallError
from backup_agent.targets.disk.joined_volume import PAGE_SIZE, HeldBytes, JoinedVolume, Overlay

START, MIDDLE, TAIL = 3 * PAGE_SIZE, 5 * PAGE_SIZE, 4 * PAGE_SIZE
SIZE = START + MIDDLE + TAIL
STORED = random.Random(7).randbytes(SIZE)

writes = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.binary(min_size=1, max_size=3 * PAGE_SIZE)),
    max_size=8,
)
reads = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(1, 4 * PAGE_SIZE)), min_size=1, max_size=8
)


def joined(*, most_bytes: int = TAIL) -> JoinedVolume:
    def below(offset: int, size: int) -> bytes:
        return STORED[START + MIDDLE :][offset : offset + size]

    volume = JoinedVolume(
        (START, HeldBytes(START)),
        (MIDDLE, HeldBytes(MIDDLE)),
        (TAIL, Overlay(below, most_bytes=most_bytes)),
        sector_size=512,
    )
    volume.write(0, STORED[: START + MIDDLE])
    return volume


@given(writes, reads)
def test_volume_reads_as_if_it_were_in_one_piece(
    writes: list[tuple[int, bytes]], reads: list[tuple[int, int]]
) -> None:
    volume, plain = joined(), bytearray(STORED)
    assert volume.size == SIZE
    for offset, data in writes:
        data = data[: SIZE - offset]
        volume.write(offset, data)
        plain[offset : offset + len(data)] = data
    for offset, size in [*reads, (0, SIZE)]:
        size = min(size, SIZE - offset)
        assert volume.read(offset, size) == plain[offset : offset + size]


def test_overlay_refuses_more_than_memory_is_meant_for_and_keeps_what_it_has() -> None:
    volume = joined(most_bytes=2 * PAGE_SIZE)
    tail = START + MIDDLE
    volume.write(tail, b"x" * 2 * PAGE_SIZE)
    volume.write(tail + 10, b"again")
    with pytest.raises(TargetTooSmallError, match="held in memory"):
        volume.write(tail + 2 * PAGE_SIZE, b"one more")
    assert volume.read(tail, 16) == b"x" * 10 + b"againx"
