"""Numbers as the windows write them: bytes in thousands, as disks are sold, and time in words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDateTime

from backup_agent.qtkit.language import locale, tr, trn

_STEP = 1000
_MINUTE, _HOUR = 60, 3600


def size(count: float) -> str:
    """``312 GB``, ``1.2 TB``, ``17 bytes``: three digits are as many as anybody compares."""
    units = (tr("bytes"), tr("KB"), tr("MB"), tr("GB"), tr("TB"), tr("PB"))
    unit = 0
    while unit < len(units) - 1 and round(count) >= _STEP:
        count /= _STEP
        unit += 1
    digits = 0 if unit == 0 or count >= 10 or f"{count:.1f}".endswith(".0") else 1
    return f"{locale().toString(float(count), 'f', digits)} {units[unit]}"


def rate(bytes_per_second: float) -> str:
    """``186 MB/s``"""
    return tr("{size}/s", size=size(bytes_per_second))


def number(count: int) -> str:
    """``341,902``, grouped as the language does."""
    return locale().toString(count)


def duration(seconds: float) -> str:
    """``24 seconds``, ``21 minutes``, ``1 hour 12 minutes``."""
    whole = int(seconds)
    if whole < _MINUTE:
        return trn("{number} second", "{number} seconds", whole)
    if whole < _HOUR:
        return _minutes(whole // _MINUTE)
    hours, minutes = divmod(whole // _MINUTE, 60)
    said = trn("{number} hour", "{number} hours", hours)
    return f"{said} {_minutes(minutes)}" if minutes else said


def short_duration(seconds: float) -> str:
    """For columns and axes: ``24 s``, ``21 min``, ``1 h 12 min``."""
    whole = int(seconds)
    if whole < _MINUTE:
        return tr("{number} s", number=whole)
    if whole < _HOUR:
        return tr("{number} min", number=whole // _MINUTE)
    hours, minutes = divmod(whole // _MINUTE, 60)
    return tr("{hours} h {minutes} min", hours=hours, minutes=minutes)


def moment(time: datetime) -> str:
    """``Mon 16 Nov 2026, 18:04``, in the zone that ``time`` has."""
    plain = QDateTime(time.year, time.month, time.day, time.hour, time.minute, time.second)
    return locale().toString(plain, "ddd d MMM yyyy, HH:mm")


def _minutes(count: int) -> str:
    return trn("{number} minute", "{number} minutes", count)
