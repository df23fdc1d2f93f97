"""Schedules in any time zone: what the clocks show, on every night of the year."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from backup_agent.agent.schedule import (
    Daily,
    EveryHours,
    Monthly,
    Schedule,
    Weekday,
    Weekly,
    next_occurrence,
)

# Two hemispheres, half hours, a zone that skipped a day, and one without summer time.
ZONES = st.sampled_from(
    ["Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata"]
).map(ZoneInfo)
MOMENTS = st.integers(0, 28 * 366 * 24 * 60).map(
    lambda minutes: datetime(2008, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
DAYS = st.frozensets(st.sampled_from(Weekday), min_size=1)
CALENDARS = st.one_of(
    st.builds(Daily, CLOCKS),
    st.builds(Weekly, DAYS, CLOCKS),
    st.builds(Monthly, st.integers(1, 31), CLOCKS),
)
HOURS = st.builds(EveryHours, st.integers(1, 200), st.frozensets(st.sampled_from(Weekday)), CLOCKS)


def following(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime:
    found = next_occurrence(schedule, after=after, zone=zone)
    assert found is not None
    return found


@given(CALENDARS, MOMENTS, ZONES)
def test_the_next_moment_lies_ahead_and_the_clock_shows_the_time(
    schedule: Daily | Weekly | Monthly, after: datetime, zone: ZoneInfo
) -> None:
    found = following(schedule, after, zone)

    assert found > after
    shown = found.astimezone(zone)
    assert shown.time() == schedule.at or _was_skipped(found, schedule.at, zone)


def _was_skipped(found: datetime, at: time, zone: ZoneInfo) -> bool:
    """Whether it stands for a time that the clocks jumped over on that day or the one before."""
    today = found.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        wanted = datetime.combine(day, at, tzinfo=zone)
        meant = wanted.astimezone(UTC)
        if meant == found and meant.astimezone(zone).time() != at:
            return True
    return False


@given(CALENDARS, MOMENTS, ZONES)
def test_nothing_is_left_out_between_two_moments(
    schedule: Daily | Weekly | Monthly, after: datetime, zone: ZoneInfo
) -> None:
    first = following(schedule, after, zone)

    assert following(schedule, first - timedelta(seconds=1), zone) == first
    assert following(schedule, after + (first - after) / 2, zone) == first


@given(CLOCKS, MOMENTS, ZONES)
def test_a_daily_plan_is_due_once_on_each_day(clock: time, after: datetime, zone: ZoneInfo) -> None:
    moments = [following(Daily(clock), after, zone)]
    for _ in range(5):
        moments.append(following(Daily(clock), moments[-1], zone))

    assert all(
        timedelta(hours=22) <= later - earlier <= timedelta(hours=49)
        for earlier, later in pairwise(moments)
    )


@given(DAYS, CLOCKS, MOMENTS)
def test_a_weekly_plan_keeps_to_its_days(
    days: frozenset[Weekday], clock: time, after: datetime
) -> None:
    found = following(Weekly(days, clock), after, ZoneInfo("Asia/Kolkata"))

    assert found.astimezone(ZoneInfo("Asia/Kolkata")).weekday() in days
    assert found - after <= timedelta(days=7)


@given(st.integers(1, 31), MOMENTS)
def test_a_monthly_plan_is_due_in_every_month(day: int, after: datetime) -> None:
    zone = ZoneInfo("Europe/Zurich")
    at_six = Monthly(day, time(18))
    first = following(at_six, after, zone).astimezone(zone)
    second = following(at_six, first, zone).astimezone(zone)

    assert (second.year * 12 + second.month) - (first.year * 12 + first.month) == 1


@settings(max_examples=60)
@given(HOURS, MOMENTS, ZONES)
def test_hours_pass_before_the_next_run_and_it_falls_into_the_opening(
    schedule: EveryHours, after: datetime, zone: ZoneInfo
) -> None:
    found = following(schedule, after, zone)

    assert found - after >= timedelta(hours=schedule.hours)
    assert found - after <= timedelta(hours=schedule.hours, days=9)
