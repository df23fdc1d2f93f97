"""Retention where the rules are subtle: zones, ties, the future, tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backup_agent.errors import UsageError
from backup_agent.model.duration import Duration
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.retention import (
    UNLIMITED,
    GroupBy,
    RetentionPolicy,
    group_snapshots,
    parse_count,
    parse_group_by,
    plan_forget,
)
from backup_agent.model.snapshot import Snapshot

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def points(*times: str, tags: tuple[str, ...] = ()) -> list[Snapshot]:
    return [
        Snapshot(
            id=SnapshotId(f"{number:064x}"),
            time=datetime.fromisoformat(time),
            tree=BlobId(bytes(32)),
            paths=("/home",),
            tags=tags,
        )
        for number, time in enumerate(times)
    ]


def kept(snapshots: list[Snapshot], policy: RetentionPolicy) -> list[tuple[str, tuple[str, ...]]]:
    plan = plan_forget(snapshots, policy, now=NOW)
    return [(keep.snapshot.time.isoformat(), keep.reasons) for keep in plan.keep]


def test_a_day_is_that_of_the_snapshots_own_time_zone() -> None:
    # Three minutes apart, yet on two dates where they were made.
    late = points("2021-05-01T23:59:00+02:00", "2021-05-02T00:02:00+02:00")
    policy = RetentionPolicy(daily=2)
    assert len(kept(late, policy)) == 2
    in_utc = points("2021-05-01T21:59:00+00:00", "2021-05-01T22:02:00+00:00")
    assert kept(in_utc, RetentionPolicy(daily=1)) == [
        ("2021-05-01T22:02:00+00:00", ("daily snapshot",))
    ]


def test_order_is_by_instant_whatever_the_zones() -> None:
    snapshots = points("2021-05-01T10:00:00+09:00", "2021-05-01T09:00:00+00:00")
    assert kept(snapshots, RetentionPolicy(last=1)) == [
        ("2021-05-01T09:00:00+00:00", ("last snapshot",))
    ]


def test_the_oldest_is_kept_while_a_rule_has_some_left() -> None:
    snapshots = points("2021-01-01T00:00:00+00:00", "2021-02-01T00:00:00+00:00")
    assert kept(snapshots, RetentionPolicy(yearly=2)) == [
        ("2021-02-01T00:00:00+00:00", ("yearly snapshot",)),
        ("2021-01-01T00:00:00+00:00", ("oldest yearly snapshot",)),
    ]
    assert len(kept(snapshots, RetentionPolicy(yearly=1))) == 1


def test_weeks_are_iso_weeks_across_the_new_year() -> None:
    # 2020-12-28 to 2021-01-03 is week 53 of 2020.
    snapshots = points(
        "2020-12-27T12:00:00+00:00", "2020-12-28T12:00:00+00:00", "2021-01-03T12:00:00+00:00"
    )
    assert [time[:10] for time, _ in kept(snapshots, RetentionPolicy(weekly=2))] == [
        "2021-01-03",
        "2020-12-27",
    ]


def test_within_counts_from_the_newest_that_is_not_in_the_future() -> None:
    snapshots = points(
        "2023-01-01T00:00:00+00:00",
        "2023-05-01T00:00:00+00:00",
        "2023-05-31T00:00:00+00:00",
        "2077-01-01T00:00:00+00:00",
    )
    assert [time[:4] for time, _ in kept(snapshots, RetentionPolicy(within=Duration(days=31)))] == [
        "2077",
        "2023",
        "2023",
    ]


def test_within_keeps_all_when_all_are_in_the_future() -> None:
    snapshots = points("2077-01-01T00:00:00+00:00", "2087-01-01T00:00:00+00:00")
    assert len(kept(snapshots, RetentionPolicy(within=Duration(hours=1)))) == 2


def test_what_lies_exactly_at_the_limit_goes() -> None:
    snapshots = points("2023-01-01T00:00:00+00:00", "2023-01-02T00:00:00+00:00")
    assert len(kept(snapshots, RetentionPolicy(within=Duration(days=1)))) == 1


@pytest.mark.parametrize(
    ("wanted", "has", "stays"),
    [
        ((("a",),), ("a", "b"), True),
        ((("a", "b"),), ("a",), False),
        ((("a", "b"), ("c",)), ("c",), True),
        ((("a",),), (), False),
        ((("",),), (), True),
        ((("",),), ("a",), False),
    ],
)
def test_tags(wanted: tuple[tuple[str, ...], ...], has: tuple[str, ...], stays: bool) -> None:
    snapshots = points("2021-05-01T10:00:00+00:00", tags=has)
    assert bool(kept(snapshots, RetentionPolicy(tags=wanted))) is stays


@pytest.mark.parametrize("policy", [RetentionPolicy(), RetentionPolicy(within=Duration())])
def test_an_empty_policy_is_refused(policy: RetentionPolicy) -> None:
    with pytest.raises(UsageError) as caught:
        plan_forget(points("2021-05-01T10:00:00+00:00"), policy, now=NOW)
    assert caught.value.hint


def test_numbers_below_unlimited_are_refused() -> None:
    with pytest.raises(UsageError):
        RetentionPolicy(daily=-2)


def test_equal_times_are_told_apart_by_id_so_the_answer_is_always_the_same() -> None:
    twins = points("2021-05-01T10:00:00+00:00", "2021-05-01T12:00:00+02:00")
    for listing in (twins, twins[::-1]):
        (one,) = plan_forget(listing, RetentionPolicy(last=1), now=NOW).keep
        assert one.snapshot.id == twins[1].id


def test_groups_ignore_the_order_of_paths() -> None:
    a, b, c = (
        Snapshot(
            id=SnapshotId(str(number)),
            time=NOW + timedelta(hours=number),
            tree=BlobId(bytes(32)),
            paths=paths,
            hostname=host,
        )
        for number, (host, paths) in enumerate(
            [("x", ("/a", "/b")), ("x", ("/b", "/a")), ("y", ("/a", "/b"))]
        )
    )
    assert sorted(map(len, group_snapshots([a, b, c]).values())) == [1, 2]
    assert len(group_snapshots([a, b, c], by=frozenset({GroupBy.PATHS}))) == 1
    assert len(group_snapshots([a, b, c], by=frozenset())) == 1


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1y2m3d4h", Duration(1, 2, 3, 4)),
        ("4h1y", Duration(years=1, hours=4)),
        ("30d", Duration(days=30)),
        ("0d", Duration()),
    ],
)
def test_durations_are_read(text: str, duration: Duration) -> None:
    assert Duration.parse(text) == duration


@pytest.mark.parametrize(
    "text", ["", "1", "y", "1w", "1y2", "-1d", "1d1d", "1 d", "1d ", "\u0661d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("duration", "before"),
    [
        (Duration(months=1), "2023-03-03T08:00:00+00:00"),
        (Duration(months=3), "2022-12-31T08:00:00+00:00"),
        (Duration(years=1, days=31), "2022-02-28T08:00:00+00:00"),
        (Duration(hours=9), "2023-03-30T23:00:00+00:00"),
        (Duration(years=5000), "0001-01-01T00:00:00+00:00"),
        (Duration(days=999_999), "0001-01-01T00:00:00+00:00"),
    ],
)
def test_months_run_over_as_in_restic(duration: Duration, before: str) -> None:
    moment = datetime(2023, 3, 31, 8, tzinfo=UTC)
    assert duration.before(moment) == datetime.fromisoformat(before)


def test_counts_and_groupings_are_read() -> None:
    assert parse_count("unlimited") == UNLIMITED
    assert parse_count("12") == 12
    assert parse_group_by("host,paths") == {GroupBy.HOST, GroupBy.PATHS}
    assert parse_group_by("") == frozenset()
    assert parse_group_by("tag,path") == {GroupBy.TAGS, GroupBy.PATHS}


@pytest.mark.parametrize("text", ["-1", "many", "", "1.5", "\u00b2"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_count(text)


def test_unknown_groupings_are_refused() -> None:
    with pytest.raises(UsageError, match="colour"):
        parse_group_by("host,colour")
