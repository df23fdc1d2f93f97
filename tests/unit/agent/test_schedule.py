"""When plans are due: named nights, missed runs, failures and wrong clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from backup_agent.agent.conditions import (
    Bandwidth,
    Circumstances,
    Conditions,
    Unmet,
    bandwidth_at,
    unmet,
)
from backup_agent.agent.due import Record, next_run
from backup_agent.agent.plan import Plan
from backup_agent.agent.ran import Outcome
from backup_agent.agent.schedule import (
    Daily,
    EveryHours,
    Monthly,
    OnRequest,
    Schedule,
    Weekday,
    Weekly,
    next_occurrence,
)

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2030, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(id="1", name="Projects", paths=("/srv",))
HOURLY = replace(PLAN, schedule=EveryHours(24))
AT_NIGHT = EveryHours(1, begin=time(22), end=time(6))
OFFICE = frozenset(Weekday(day) for day in range(5))


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZURICH)  # type: ignore[arg-type,misc] # year to minute


def due(plan: Plan, record: Record, *, now: datetime = NOW) -> datetime | None:
    return next_run(plan, record, now=now, zone=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (Daily(time(18)), local(2030, 5, 3, 18), local(2030, 5, 4, 18)),
        (Daily(time(18)), local(2030, 5, 3, 17, 59), local(2030, 5, 3, 18)),
        # 31 March 2030: the clocks go from 2:00 to 3:00.
        (Daily(time(2, 30)), local(2030, 3, 30, 12), local(2030, 3, 31, 3, 30)),
        (Daily(time(2, 30)), local(2030, 3, 31, 3, 30), local(2030, 4, 1, 2, 30)),
        (Weekly(frozenset({Weekday.SUNDAY}), time(9)), local(2030, 5, 3, 8), local(2030, 5, 5, 9)),
        (Monthly(31, time(9)), local(2030, 2, 1, 0), local(2030, 2, 28, 9)),
        (Monthly(31, time(9)), local(2030, 2, 28, 9), local(2030, 3, 31, 9)),
        (
            EveryHours(2, OFFICE, time(8), time(20)),
            local(2030, 5, 3, 19),
            local(2030, 5, 6, 8),
        ),
        (
            EveryHours(2, OFFICE, time(8), time(20)),
            local(2030, 5, 3, 10),
            local(2030, 5, 3, 12),
        ),
        (EveryHours(1, frozenset(), time(22), time(6)), local(2030, 5, 3, 2), local(2030, 5, 3, 3)),
        (
            EveryHours(1, frozenset(), time(22), time(6)),
            local(2030, 5, 3, 7),
            local(2030, 5, 3, 22),
        ),
    ],
)
def test_a_rule_names_this_moment_next(
    schedule: Schedule, after: datetime, expected: datetime
) -> None:
    assert next_occurrence(schedule, after=after, zone=ZURICH) == expected


def test_a_time_that_the_clocks_show_twice_counts_the_first_time() -> None:
    # 27 October 2030: 3:00 becomes 2:00.
    first = next_occurrence(Daily(time(2, 30)), after=local(2030, 10, 26, 12), zone=ZURICH)

    assert first == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    second = next_occurrence(Daily(time(2, 30)), after=first, zone=ZURICH)
    assert second == local(2030, 10, 28, 2, 30)


@pytest.mark.parametrize(
    "wrong",
    [
        b'{"type":"every_hours","hours":0}',
        b'{"type":"weekly","days":[],"at":"18:00:00"}',
        b'{"type":"monthly","day":32,"at":"18:00:00"}',
        b'{"type":"daily","at":"18:00:00Z"}',
        b'{"type":"hourly"}',
    ],
)
def test_a_rule_that_makes_no_sense_is_not_read(wrong: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wrong, type=Schedule)


def test_a_plan_without_a_schedule_waits_to_be_asked() -> None:
    assert due(PLAN, Record(last_start=NOW, last_good=NOW)) is None
    assert due(PLAN, Record()) is None


def test_a_plan_that_never_ran_is_due_now_or_when_its_schedule_began_to_count() -> None:
    assert due(HOURLY, Record()) == NOW
    assert due(replace(HOURLY, since=NOW), Record()) == NOW + timedelta(hours=24)


@pytest.mark.parametrize(("hours_ago", "due_in"), [(1, 23), (24, 0), (72, -48)])
def test_a_plan_is_due_its_hours_after_the_last_start(hours_ago: int, due_in: int) -> None:
    started = NOW - timedelta(hours=hours_ago)

    assert due(HOURLY, Record(last_start=started)) == NOW + timedelta(hours=due_in)


def test_days_that_were_missed_are_made_up_for_by_one_run() -> None:
    plan = replace(PLAN, schedule=Daily(time(18)))
    missed = due(plan, Record(last_start=NOW - timedelta(days=30)))
    assert missed is not None
    assert missed < NOW

    assert due(plan, Record(last_start=NOW)) == NOW.replace(hour=18)


@pytest.mark.parametrize(("fruitless", "minutes"), [(1, 10), (2, 20), (3, 40), (6, 240), (60, 240)])
def test_what_failed_is_tried_again_ever_more_seldom(fruitless: int, minutes: int) -> None:
    failed = Record(last_start=NOW, last_end=NOW, last_outcome=Outcome.FAILED, fruitless=fruitless)

    assert due(HOURLY, failed) == NOW + timedelta(minutes=minutes)


def test_a_retry_never_comes_later_than_the_schedule() -> None:
    plan = replace(PLAN, schedule=EveryHours(1))
    failed = Record(last_start=NOW, last_end=NOW, last_outcome=Outcome.FAILED, fruitless=9)

    assert due(plan, failed) == NOW + timedelta(hours=1)


def test_what_was_broken_off_once_is_made_up_for_at_once_and_then_with_patience() -> None:
    once = Record(last_start=NOW, last_end=NOW, last_outcome=Outcome.BROKEN_OFF, fruitless=1)

    assert due(HOURLY, once) == NOW
    assert due(HOURLY, replace(once, fruitless=2)) == NOW + timedelta(minutes=20)


def test_what_was_interrupted_is_owed() -> None:
    record = Record(last_start=NOW, last_end=NOW, interrupted=True)

    assert due(PLAN, record) == NOW


def test_conditions_hold_up_and_what_nobody_knows_does_not() -> None:
    strict = Conditions(not_on_battery=True, not_on_metered=True, idle_minutes=10)

    assert unmet(strict, Circumstances()) is None
    assert unmet(strict, Circumstances(on_battery=True)) is Unmet.MAINS
    assert unmet(strict, Circumstances(metered=True)) is Unmet.UNMETERED
    assert unmet(strict, Circumstances(idle_seconds=599)) is Unmet.IDLE
    assert unmet(strict, Circumstances(idle_seconds=600)) is None
    assert unmet(Conditions(), Circumstances(on_battery=True, metered=True)) is None


def test_bandwidth_follows_the_clock_also_over_midnight() -> None:
    limits = (
        Bandwidth(begin=time(8), end=time(18), upload=100),
        Bandwidth(begin=time(22), end=time(6), upload=900),
    )

    shown = [bandwidth_at(limits, time(hour)).upload for hour in (7, 8, 17, 18, 23, 2, 6)]
    assert shown == [0, 100, 100, 0, 900, 900, 0]


def test_a_plan_on_request_says_that_it_runs_every_no_hours() -> None:
    assert (PLAN.every_hours, HOURLY.every_hours) == (0, 24)
    assert PLAN.schedule == OnRequest()
