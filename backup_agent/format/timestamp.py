"""RFC 3339 times as Go writes them: nanoseconds with trailing zeros dropped, any offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from backup_agent.errors import IntegrityError

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d))\Z"
)
_SECONDS_LENGTH = len("YYYY-MM-DDThh:mm:ss")
_BEHIND_SECONDS = re.compile(r"(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60
_DAY = 86_400
_FIRST_NS = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).days * _DAY * 1_000_000_000
_LAST_NS = ((datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).days + 1) * _DAY * 1_000_000_000 - 1
_LEAP_CYCLE_YEARS = 400
_LEAP_CYCLE_DAYS = 146_097


def encode_ns(ns: int) -> str:
    """Nanoseconds since 1970 in UTC; what lies outside the years 1 to 9999 becomes their start
    or end, as JSON readers in Go refuse it.
    """
    if not _FIRST_NS <= ns <= _LAST_NS:
        ns = _FIRST_NS if ns < _FIRST_NS else _LAST_NS
    seconds, fraction = divmod(ns, 1_000_000_000)
    if fraction % 10:
        return f"{_second(seconds)}.{fraction:09d}Z"
    if not fraction:
        return f"{_second(seconds)}Z"
    return f"{_second(seconds)}.{fraction:09d}".rstrip("0") + "Z"


# Files of one folder were often written, copied or unpacked in the same second.
@lru_cache(maxsize=65_536)
def _second(seconds: int) -> str:
    minutes, second = divmod(seconds, _MINUTE)
    return f"{_minute(minutes)}{second:02d}"


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    moment = _EPOCH + timedelta(minutes=minutes)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:}"


def decode_ns(text: str) -> int:
    """Nanoseconds since 1970. Raises ``IntegrityError`` for what is no time."""
    if text.startswith("0000"):
        # restic moves all times before Christ into the year 0, which Python has not:
        # the calendar repeats after 400 years.
        later = decode_ns(f"{_LEAP_CYCLE_YEARS:04}{text[4:]}")
        return later - _LEAP_CYCLE_DAYS * _DAY * 1_000_000_000
    behind = _BEHIND_SECONDS.match(text, _SECONDS_LENGTH)
    if behind is None:
        raise IntegrityError(f"{text!r} is no time.")
    fraction, zone = behind.groups()
    seconds = _seconds(text[:_SECONDS_LENGTH] + zone)
    return seconds * 1_000_000_000 + (int(fraction.ljust(9, "0")) if fraction else 0)


# As with _second: large folders are mostly full of times of a few seconds.
@lru_cache(maxsize=65_536)
def _seconds(text: str) -> int:
    moment, _ = _parse(text)
    delta = moment - _EPOCH
    return delta.days * _DAY + delta.seconds


def decode_datetime(text: str) -> datetime:
    """The time in its own offset, to the microsecond."""
    moment, fraction_ns = _parse(text)
    return moment + timedelta(microseconds=fraction_ns // 1000)


def encode_datetime(moment: datetime) -> str:
    """With the moment's own offset; ``moment`` must be aware."""
    text = moment.isoformat()
    if moment.microsecond:
        text = text[:-6].rstrip("0") + text[-6:]
    return text[:-6] + "Z" if text.endswith("+00:00") else text


@lru_cache(maxsize=1024)
def _offset(sign: str, hours: int, minutes: int) -> timezone:
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if sign == "-" else delta)


def _parse(text: str) -> tuple[datetime, int]:
    match = _FORM.match(text)
    if match is None:
        raise IntegrityError(f"{text!r} is no time.")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    fraction, utc, sign, offset_hours, offset_minutes = match.group(7, 8, 9, 10, 11)
    try:
        zone = UTC if utc else _offset(sign, int(offset_hours), int(offset_minutes))
        # Go allows a leap second's :60 nowhere, neither do we.
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError as exc:
        raise IntegrityError(f"{text!r} is no time: {exc}") from exc
    return moment, int(fraction.ljust(9, "0")) if fraction else 0
