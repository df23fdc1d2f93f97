"""Numbers as the windows write them: bytes in thousands, as disks are sold, and time in words."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDateTime

from backup_agent.qtkit.language import locale, tr, trn

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_STEP = 1000
_MINUTE, _HOUR = 60, 3600


def size(count: float) -> str:
    """``312 GB``, ``1.2 TB``, ``17 bytes``: three digits are as many as anybody compares."""
    unit = 0
    while unit < len(_UNITS) - 1 and round(count) >= _STEP:
        count /= _STEP
        unit += 1
    digits = 0 if unit == 0 or count >= 10 or f"{count:.1f}".endswith(".0") else 1
    return f"{locale().toString(float(count), 'f', digits)} {tr(_UNITS[unit])}"


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


def moment(time: datetime) -> str:
    """``Mon 16 Nov 2026, 18:04``, in the zone that ``time`` has."""
    plain = QDateTime(time.year, time.month, time.day, time.hour, time.minute, time.second)
    return locale().toString(plain, "ddd d MMM yyyy, HH:mm")


def _minutes(count: int) -> str:
    return trn("{number} minute", "{number} minutes", count)
