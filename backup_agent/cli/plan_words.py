"""Schedules, hours and limits as people write and read them with ``everboot plan``."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, assert_never

from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.agent.conditions import Bandwidth
    from backup_agent.agent.schedule import Schedule, Weekday

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def parse_clock(text: str) -> time:
    """``18:00``. Raises ``UsageError``."""
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text, re.ASCII):
            hours, minutes = text.split(":")
            return time(int(hours), int(minutes))
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no time of day.", hint="Write it like 18:00.")


def parse_hours(text: str) -> tuple[time, time]:
    """``8:00-20:00``. Raises ``UsageError``."""
    begin, dash, end = text.partition("-")
    if not dash:
        raise UsageError(f"{text!r} names no hours.", hint="Write them like 8:00-20:00.")
    return parse_clock(begin), parse_clock(end)


def parse_days(text: str) -> frozenset[Weekday]:
    """``mon,wed`` or ``mon-fri``. Raises ``UsageError``."""
    from backup_agent.agent.schedule import Weekday

    days: set[Weekday] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        start, end = _day(first), _day(last or first)
        # sat-mon goes over the end of the week.
        days.update(Weekday(day % 7) for day in range(start, end + 1 + 7 * (end < start)))
    return frozenset(days)


def parse_weekly(text: str) -> Schedule:
    """``mon,thu@18:00``. Raises ``UsageError``."""
    from backup_agent.agent.schedule import Weekly

    days, at, clock = text.partition("@")
    if not at:
        raise UsageError(f"{text!r} names no days and time.", hint="Write them like mon,thu@18:00.")
    return Weekly(parse_days(days), parse_clock(clock))


def parse_monthly(text: str) -> Schedule:
    """``1@18:00``; ``31`` is the last day of shorter months, too. Raises ``UsageError``."""
    from backup_agent.agent.schedule import Monthly

    day, _, clock = text.partition("@")
    if not (day.isascii() and day.isdecimal() and 1 <= int(day) <= 31):
        raise UsageError(f"{text!r} names no day of a month.", hint="Write it like 1@18:00.")
    return Monthly(int(day), parse_clock(clock))


def parse_bandwidth(text: str) -> Bandwidth:
    """``8:00-18:00=UP/DOWN``, KiB/s, 0 for no limit. Raises ``UsageError``."""
    from backup_agent.agent.conditions import Bandwidth

    hours, _, rates = text.partition("=")
    up, _, down = rates.partition("/")
    if not (up.isdecimal() and (down or "0").isdecimal()):
        raise UsageError(
            f"{text!r} names no limit.", hint="Write it like 8:00-18:00=500/1000 (KiB/s up/down)."
        )
    begin, end = parse_hours(hours)
    return Bandwidth(begin=begin, end=end, upload=int(up), download=int(down or "0"))


def told_schedule(schedule: Schedule) -> str:
    """A few words: ``daily at 18:00``."""
    from backup_agent.agent.schedule import Daily, EveryHours, Monthly, OnRequest, Weekly

    match schedule:
        case OnRequest():
            return "when asked"
        case EveryHours(hours, days, begin, end):
            words = f"every {hours} h"
            if begin != end:
                words += f", {begin:%H:%M} to {end:%H:%M}"
            return words + (f", {told_days(days)}" if days else "")
        case Daily(at):
            return f"daily at {at:%H:%M}"
        case Weekly(days, at):
            return f"{told_days(days)} at {at:%H:%M}"
        case Monthly(day, at):
            return f"day {day} of each month at {at:%H:%M}"
        case _:
            assert_never(schedule)


def told_days(days: frozenset[Weekday]) -> str:
    return ",".join(_DAYS[day] for day in sorted(days))


def _day(name: str) -> int:
    if name.strip()[:3] in _DAYS:
        return _DAYS.index(name.strip()[:3])
    raise UsageError(f"{name!r} is no day.", hint=f"Days are {', '.join(_DAYS)}.")
