"""When a plan runs: a rule, and the moments that follow from it. Pure.

Rules speak of wall clocks ("daily at 18:00"), moments are absolute. Between the two stands a
time zone, with its two special nights a year: a time that the clock skips counts as the same
stretch of night later (02:30 becomes 03:30), one that it shows twice counts the first time.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from typing import TypeAlias, assert_never

import msgspec

_DAY = timedelta(days=1)
_MIDNIGHT = time()


class Weekday(IntEnum):
    """Numbered as ``date.weekday`` has it."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class OnRequest(msgspec.Struct, frozen=True, tag="on_request"):
    """Only when somebody asks, or on an occasion that the plan names."""


class EveryHours(msgspec.Struct, frozen=True, tag="every_hours"):
    """So long after the last start. ``days`` (none: all) and ``begin`` to ``end`` (wall clock;
    both midnight: around the clock) narrow it; what falls outside waits for the next opening.
    """

    hours: int
    days: frozenset[Weekday] = frozenset()
    begin: time = _MIDNIGHT
    end: time = _MIDNIGHT

    def __post_init__(self) -> None:
        if self.hours < 1:
            raise ValueError("A number of hours is 1 or more.")
        _require_wall_clock(self.begin, self.end)


class Daily(msgspec.Struct, frozen=True, tag="daily"):
    """Every day at the same time."""

    at: time

    def __post_init__(self) -> None:
        _require_wall_clock(self.at)


class Weekly(msgspec.Struct, frozen=True, tag="weekly"):
    """On some days of the week."""

    days: frozenset[Weekday]
    at: time

    def __post_init__(self) -> None:
        if not self.days:
            raise ValueError("A weekly plan needs a day.")
        _require_wall_clock(self.at)


class Monthly(msgspec.Struct, frozen=True, tag="monthly"):
    """On one day of the month, or on the last of months that have no such day."""

    day: int
    at: time

    def __post_init__(self) -> None:
        if not 1 <= self.day <= 31:
            raise ValueError("A day of the month is 1 to 31.")
        _require_wall_clock(self.at)


Schedule: TypeAlias = OnRequest | EveryHours | Daily | Weekly | Monthly


def next_occurrence(schedule: Schedule, *, after: datetime, zone: tzinfo) -> datetime | None:
    """The first moment behind ``after`` that the rule names; None where none comes. In UTC: two
    moments of one zone would be compared by what clocks show.

    ``after`` is where counting starts: for ``EveryHours`` the last start.
    """
    after = after.astimezone(UTC)
    match schedule:
        case OnRequest():
            return None
        case EveryHours(hours=hours):
            # Hours that pass, whatever clocks show meanwhile.
            return _first_open(schedule, after + timedelta(hours=hours), zone)
        case Daily(at) | Weekly(at=at) | Monthly(at=at):
            moments = (_moment(day, at, zone) for day in _days(schedule, after.astimezone(zone)))
            return next(moment for moment in moments if moment > after)
        case _:
            assert_never(schedule)


def _days(schedule: Daily | Weekly | Monthly, local: datetime) -> Iterator[date]:
    """The days that the rule names, from the eve of ``local`` on, without end."""
    day = local.date() - _DAY
    while True:
        if _names(schedule, day):
            yield day
        day += _DAY


def _names(schedule: Daily | Weekly | Monthly, day: date) -> bool:
    match schedule:
        case Daily():
            return True
        case Weekly(days=days):
            return day.weekday() in days
        case Monthly(day=wanted):
            _, last = calendar.monthrange(day.year, day.month)
            return day.day == min(wanted, last)
        case _:
            assert_never(schedule)


def _first_open(schedule: EveryHours, moment: datetime, zone: tzinfo) -> datetime:
    """The moment itself, or when the hours of the rule open next."""
    around_the_clock = schedule.begin == schedule.end
    day = moment.astimezone(zone).date() - _DAY
    while True:
        if not schedule.days or day.weekday() in schedule.days:
            opens = _moment(day, schedule.begin, zone)
            # Hours that go over midnight belong to the day that they begin on.
            last_day = day if schedule.begin < schedule.end else day + _DAY
            closes = _moment(last_day, schedule.end, zone)
            if around_the_clock:
                closes = _moment(day + _DAY, schedule.begin, zone)
            if moment < closes:
                return max(moment, opens)
        day += _DAY


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _require_wall_clock(*times: time) -> None:
    if any(each.tzinfo is not None for each in times):
        raise ValueError("A time of day stands without a time zone.")
