"""What holds for every policy and every set of restore points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backup_agent.model.duration import Duration
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import (
    UNLIMITED,
    RetentionPolicy,
    group_snapshots,
    plan_forget,
)
from backup_agent.model.snapshot import Snapshot

NOW = datetime(2030, 1, 1, tzinfo=UTC)
COUNTS = st.integers(-1, 6)
DURATIONS = st.builds(
    Duration, st.integers(0, 3), st.integers(0, 30), st.integers(0, 99), st.integers(0, 99)
)
TAGS = st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(tuple)
POLICIES = st.builds(
    RetentionPolicy,
    last=COUNTS,
    hourly=COUNTS,
    daily=COUNTS,
    weekly=COUNTS,
    monthly=COUNTS,
    yearly=COUNTS,
    within=st.none() | DURATIONS,
    tags=st.lists(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=2).map(tuple), max_size=2
    ).map(tuple),
).filter(lambda policy: not policy.is_empty)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    minutes = draw(st.integers(0, 3 * 365 * 24 * 60) | st.integers(0, 5000))
    zone = timezone(timedelta(minutes=30 * draw(st.integers(-24, 28))))
    return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(zone)


@st.composite
def snapshots(draw: st.DrawFn) -> list[Snapshot]:
    return [
        Snapshot(
            id=SnapshotId(f"{number:064x}"),
            time=time,
            tree=BlobId(bytes(32)),
            paths=draw(st.sampled_from([("/a",), ("/a", "/b"), ("/b", "/a")])),
            hostname=draw(st.sampled_from(["x", "y"])),
            tags=draw(TAGS),
        )
        for number, time in enumerate(draw(st.lists(moments(), max_size=40)))
    ]


@given(snapshots(), POLICIES)
def test_every_snapshot_is_either_kept_for_a_reason_or_removed(
    points: list[Snapshot], policy: RetentionPolicy
) -> None:
    plan = plan_forget(points, policy, now=NOW)
    ids = [kept.snapshot.id for kept in plan.keep] + [gone.id for gone in plan.remove]
    assert sorted(ids) == sorted(point.id for point in points)
    assert all(kept.reasons for kept in plan.keep)


@given(snapshots(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_the_listing_does_not_matter(
    points: list[Snapshot], policy: RetentionPolicy, random: Any
) -> None:
    plan = plan_forget(points, policy, now=NOW)
    shuffled = points.copy()
    random.shuffle(shuffled)
    assert plan_forget(shuffled, policy, now=NOW) == plan


@given(snapshots(), POLICIES)
def test_a_policy_that_counts_keeps_the_newest_of_each_group(
    points: list[Snapshot], policy: RetentionPolicy
) -> None:
    counting = replace(policy, tags=(), within=None)
    if counting.is_empty:
        return
    plan = plan_forget(points, counting, now=NOW)
    kept = {keep.snapshot.id for keep in plan.keep}
    for members in group_snapshots(points).values():
        assert members[0].id in kept


def only(rule: str, count: int) -> RetentionPolicy:
    wanted: dict[str, Any] = {rule: count}
    return RetentionPolicy(**wanted)


PERIODS: dict[str, Callable[[datetime], object]] = {
    "hourly": lambda time: time.strftime("%Y-%m-%d %H"),
    "daily": lambda time: time.strftime("%Y-%m-%d"),
    "weekly": lambda time: time.strftime("%G-%V"),
    "monthly": lambda time: time.strftime("%Y-%m"),
    "yearly": lambda time: time.strftime("%Y"),
}


@given(snapshots(), st.sampled_from(sorted(PERIODS)), st.integers(1, 6))
def test_a_rule_keeps_as_many_runs_of_its_period_as_it_counts(
    points: list[Snapshot], rule: str, count: int
) -> None:
    plan = plan_forget(points, only(rule, count), now=NOW)
    for group, members in zip(plan.groups, group_snapshots(points).values(), strict=True):
        periods = [PERIODS[rule](member.time) for member in members]
        starts = [
            member
            for index, member in enumerate(members)
            if index == 0 or periods[index] != periods[index - 1]
        ]
        expected = starts[:count]
        if len(starts) < count and members[-1] not in expected:
            expected.append(members[-1])
        assert [kept.snapshot for kept in group.keep] == expected


@given(snapshots(), POLICIES, st.sampled_from(["last", *PERIODS]))
def test_keeping_more_never_removes_more(
    points: list[Snapshot], policy: RetentionPolicy, rule: str
) -> None:
    less = {kept.snapshot.id for kept in plan_forget(points, policy, now=NOW).keep}
    count = getattr(policy, rule)
    larger: dict[str, Any] = {rule: count if count == UNLIMITED else count + 1}
    more = plan_forget(points, replace(policy, **larger), now=NOW)
    assert less <= {kept.snapshot.id for kept in more.keep}


@given(snapshots(), POLICIES)
def test_forgetting_twice_removes_nothing_more(
    points: list[Snapshot], policy: RetentionPolicy
) -> None:
    first = plan_forget(points, policy, now=NOW)
    second = plan_forget([kept.snapshot for kept in first.keep], policy, now=NOW)
    assert second.remove == []


@given(snapshots(), st.sampled_from(["last", *PERIODS]))
def test_unlimited_is_as_many_as_there_are(points: list[Snapshot], rule: str) -> None:
    unlimited = plan_forget(points, only(rule, UNLIMITED), now=NOW)
    huge = plan_forget(points, only(rule, 10**9), now=NOW)
    assert unlimited == huge


@given(snapshots(), DURATIONS)
def test_within_keeps_everything_after_its_limit_and_nothing_else(
    points: list[Snapshot], within: Duration
) -> None:
    if not within:
        return
    plan = plan_forget(points, RetentionPolicy(within=within), now=NOW)
    for group in plan.groups:
        newest = group.keep[0].snapshot.time
        assert all(kept.snapshot.time > within.before(newest) for kept in group.keep)
        assert all(gone.time <= within.before(newest) for gone in group.remove)


@given(DURATIONS.filter(bool))
def test_a_duration_survives_being_written_and_read(duration: Duration) -> None:
    assert Duration.parse(str(duration)) == duration
