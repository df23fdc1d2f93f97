"""Disk pictures in proportion, before anything is painted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.qtkit.drawn_disk import (
    NARROWEST,
    DrawnDisk,
    DrawnVolume,
    stretches,
    width_of,
)

GB = 10**9


def volume(start: int, size: int, used: int | None = None) -> DrawnVolume:
    return DrawnVolume("volume", start, size, used, 1)


def test_disks_are_compared_on_one_scale() -> None:
    assert width_of(DrawnDisk("source", 512 * GB, (), scale=1024 * GB), 1000) == 500


def test_a_small_volume_can_be_seen_and_the_large_one_gives_way() -> None:
    disk = DrawnDisk("disk", 1000 * GB, (volume(0, GB // 10), volume(GB // 10, 999 * GB)))
    small, large = stretches(disk, 800)
    assert (small.width, large.left + large.width) == (NARROWEST, 800)


def test_used_part_is_in_proportion_and_unknown_counts_as_all() -> None:
    known, unknown = stretches(DrawnDisk("disk", 200, (volume(0, 100, 25), volume(100, 100))), 402)
    assert (known.used * 4, unknown.used) == (known.width, unknown.width)


def test_unallocated_room_is_shown_and_slivers_of_alignment_are_not() -> None:
    disk = DrawnDisk("disk", 1000, (volume(1, 499),))
    assert [stretch.volume is None for stretch in stretches(disk, 500)] == [False, True]
    assert [one.volume for one in stretches(DrawnDisk("new", 1000, ()), 500)] == [None]


@given(st.lists(st.integers(1, 10**13), min_size=1, max_size=60), st.integers(1, 4000))
def test_a_picture_of_any_disk_stays_within_its_width(sizes: list[int], pixels: int) -> None:
    volumes, place = [], 0
    for size in sizes:
        volumes.append(volume(place, size, size // 2))
        place += size
    drawn = list(stretches(DrawnDisk("disk", place, tuple(volumes)), pixels))
    assert len(drawn) == len(sizes)
    assert all(one.used <= one.width for one in drawn)
    if pixels >= len(sizes) * (NARROWEST + 2):
        assert drawn[-1].left + drawn[-1].width <= pixels
        assert min(one.width for one in drawn) >= NARROWEST
