"""Numbers as the windows write them: bytes in thousands, as disks are sold, and time in words."""

from __future__ import annotations

from datetime import datetime

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_STEP = 1000
_MINUTE, _HOUR = 60, 3600


def size(count: float) -> str:
    """``312 GB``, ``1.2 TB``, ``17 bytes``: three digits are as many as anybody compares."""
    unit = 0
    while unit < len(_UNITS) - 1 and round(count) >= _STEP:
        count /= _STEP
        unit += 1
    digits = 0 if unit == 0 or count >= 10 else 1
    number = f"{count:.{digits}f}"
    return f"{number.removesuffix('.0')} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """``24 seconds``, ``21 minutes``, ``1 hour 12 minutes``."""
    whole = int(seconds)
    if whole < _MINUTE:
        return _count(whole, "second")
    if whole < _HOUR:
        return _count(whole // _MINUTE, "minute")
    hours, minutes = divmod(whole // _MINUTE, 60)
    return (
        f"{_count(hours, 'hour')} {_count(minutes, 'minute')}" if minutes else _count(hours, "hour")
    )


def moment(time: datetime) -> str:
    """``Mon 16 Nov 2026, 18:04``, in the zone that ``time`` has."""
    return f"{time:%a} {time.day} {time:%b %Y, %H:%M}"


def _count(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"
