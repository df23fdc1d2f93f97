"""RFC 3339 times as Go writes them: nanoseconds with trailing zeros dropped, any offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from backup_agent.errors import IntegrityError

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d))\Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60


def encode_ns(ns: int) -> str:
    """Nanoseconds since 1970 in UTC; years outside 1 to 9999 are cut to those ends, as JSON
    readers in Go refuse them.
    """
    seconds, fraction = divmod(ns, 1_000_000_000)
    minutes, second = divmod(seconds, _MINUTE)
    prefix = _minute(minutes)
    if not fraction:
        return f"{prefix}{second:02d}Z"
    return f"{prefix}{second:02d}.{fraction:09d}".rstrip("0") + "Z"


# Files of one folder were often written in the same minute.
@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    try:
        moment = _EPOCH + timedelta(minutes=minutes)
    except OverflowError:
        moment = datetime(9999 if minutes > 0 else 1, 1, 1, tzinfo=UTC)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:}"


def decode_ns(text: str) -> int:
    """Nanoseconds since 1970. Raises ``IntegrityError`` for what is no time."""
    moment, fraction_ns = _parse(text)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + fraction_ns


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
