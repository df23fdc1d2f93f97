"""Bitmaps of clusters: whatever their bits, they tell the same as counting one by one."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.model.disk import Extent, joined
from backup_agent.model.used_space import UsedSpace

CLUSTER = 512
ORIGIN = 1000
BEHIND = 300

# Runs of equal flags, for random ones alone are never long.
FLAGS = st.lists(st.tuples(st.booleans(), st.integers(1, 9000)), min_size=1, max_size=8).map(
    lambda runs: [flag for flag, count in runs for _ in range(count)]
)


def space_of(flags: list[bool]) -> UsedSpace:
    size = ORIGIN + len(flags) * CLUSTER + BEHIND
    bitmap = ClusterBitmap.from_flags(bytes(flags))
    return bitmap.space(size=size, origin=ORIGIN, cluster_size=CLUSTER)


def truth(flags: list[bool]) -> list[Extent]:
    """Head, runs of used clusters, and tail, joined."""
    extents = [Extent(0, ORIGIN), Extent(ORIGIN + len(flags) * CLUSTER, BEHIND)]
    for used, group in groupby(enumerate(flags), key=lambda item: item[1]):
        places = [place for place, _ in group]
        if used:
            extents.append(Extent(ORIGIN + places[0] * CLUSTER, len(places) * CLUSTER))
    return list(joined(extents))


@given(FLAGS)
def test_extents_of_the_whole_volume_are_the_used_runs(flags: list[bool]) -> None:
    space = space_of(flags)
    assert list(joined(space.extents(0, space.size))) == truth(flags)
    assert space.used_bytes == sum(extent.size for extent in truth(flags))
    assert space.used_clusters == sum(flags)


@given(FLAGS, st.data())
def test_extents_of_a_stretch_are_those_of_the_volume_cut_off(
    flags: list[bool], data: st.DataObject
) -> None:
    space = space_of(flags)
    start = data.draw(st.integers(0, space.size - 1))
    end = data.draw(st.integers(start + 1, space.size))
    inside = [
        Extent(low, high - low)
        for extent in truth(flags)
        if (low := max(extent.start, start)) < (high := min(extent.end, end))
    ]
    found = list(space.extents(start, end))
    assert list(joined(found)) == inside
    assert all(extent.size > 0 for extent in found)


@given(FLAGS, st.data())
def test_next_used_byte_is_the_first_inside_an_extent(
    flags: list[bool], data: st.DataObject
) -> None:
    space = space_of(flags)
    place = data.draw(st.integers(0, space.size))
    expected = next(
        (max(place, extent.start) for extent in truth(flags) if place < extent.end), space.size
    )
    assert space.next_used(place) == expected


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.data())
def test_marking_and_clearing_tell_how_many_clusters_they_changed(
    flags: list[bool], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(flags) - 1))
    count = data.draw(st.integers(1, len(flags) - first))
    within = slice(first, first + count)
    used = sum(flags[within])

    marked = ClusterBitmap.from_flags(bytes(flags))
    assert marked.has_all(first, count) == (used == count)
    assert marked.mark(first, count) == count - used
    assert marked.has_all(first, count)

    cleared = ClusterBitmap.from_flags(bytes(flags))
    assert cleared.clear(first, count) == used
    left = cleared.space(size=len(flags), origin=0, cluster_size=1)
    assert left.used_clusters == sum(flags) - used


def test_bits_behind_the_last_cluster_do_not_count() -> None:
    bitmap = ClusterBitmap(5, b"\xff\xff")
    assert bitmap.space(size=5, origin=0, cluster_size=1).used_clusters == 5
