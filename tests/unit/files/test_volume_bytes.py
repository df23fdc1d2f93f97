"""A volume's bytes: any place, few fetches, and never a byte that was not read."""

from __future__ import annotations

import random

import pytest

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.runs import Run, Runs
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import Extent

CONTENT = random.Random(1).randbytes(300_000)


def volume(*bad: Extent) -> VolumeBytes:
    return VolumeBytes(
        len(CONTENT), lambda offset, size: CONTENT[offset : offset + size], unreadable=bad
    )


def test_any_place_reads_as_it_is() -> None:
    whole = volume()
    dice = random.Random(2)
    for _ in range(300):
        offset, size = dice.randrange(len(CONTENT) + 10), dice.choice([1, 512, 65536, 200_000])
        assert whole.read_at(offset, size) == CONTENT[offset : offset + size]
    whole.seek(-10, 2)
    assert (whole.read(100), whole.tell()) == (CONTENT[-10:], len(CONTENT))


def test_neighbouring_places_are_fetched_once() -> None:
    fetches: list[tuple[int, int]] = []

    def fetch(offset: int, size: int) -> bytes:
        fetches.append((offset, size))
        return CONTENT[offset : offset + size]

    whole = VolumeBytes(len(CONTENT), fetch)
    for offset in range(0, 60_000, 1024):
        whole.read_at(offset, 1024)
    assert len(fetches) == 1


def test_every_read_that_touches_an_unreadable_byte_is_refused_and_no_other() -> None:
    bad = volume(Extent(1000, 10), Extent(200_000, 1))
    for offset, size in ((1000, 1), (1009, 1), (990, 11), (0, 5000), (100_000, 150_000)):
        with pytest.raises(UnreadableError, match="could not be read"):
            bad.read_at(offset, size)
    for offset, size in ((0, 1000), (1010, 5000), (1010, 198_990), (200_001, 90_000)):
        assert bad.read_at(offset, size) == CONTENT[offset : offset + size]


def test_bytes_behind_the_end_are_refused_where_they_must_be_there() -> None:
    with pytest.raises(UnreadableError, match="ends at"):
        volume().exactly(len(CONTENT) - 1, 2)


def test_host_that_gives_too_little_is_not_believed() -> None:
    with pytest.raises(UnreadableError, match="gave 3 of"):
        VolumeBytes(100, lambda _offset, _size: b"abc").read_at(0, 10)


def test_runs_are_read_across_their_seams_and_not_beyond() -> None:
    runs = Runs([Run(10, 5), Run(15, 5), Run(None, 7), Run(0, 3)])
    expected = CONTENT[10:20] + bytes(7) + CONTENT[:3]
    assert runs.size == len(expected)
    for start in range(len(expected)):
        for end in range(start, len(expected) + 1):
            assert runs.read_at(volume(), start, end - start) == expected[start:end]
    with pytest.raises(UnreadableError, match="only"):
        runs.read_at(volume(), 0, len(expected) + 1)
