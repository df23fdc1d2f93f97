"""Days and moments as people say them: relative up to a day, then weekday and date.

Every ``datetime`` has the zone it is to be shown in, ``now`` included.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtCore import QDate, QTime

from backup_agent.qtkit.language import locale, tr, trn

_HOUR = timedelta(hours=1)
_SAME_YEAR, _ANY_YEAR = "ddd d MMM", "ddd d MMM yyyy"


def clock(time: datetime) -> str:
    """``18:00``"""
    return locale().toString(QTime(time.hour, time.minute), "HH:mm")


def day(when: date) -> str:
    """``20 Oct``"""
    return locale().toString(_qdate(when), "d MMM")


def weekday(when: date) -> str:
    """``Tue 10``"""
    return locale().toString(_qdate(when), "ddd d")


def long_day(when: date) -> str:
    """``17 November 2027``"""
    return locale().toString(_qdate(when), "d MMMM yyyy")


def at(time: datetime, now: datetime) -> str:
    """``today at 18:00``, ``yesterday at 18:04``, ``Sat 14 Nov at 19:20``."""
    hour = clock(time)
    match (time.date() - now.date()).days:
        case 0:
            return tr("today at {time}", time=hour)
        case -1:
            return tr("yesterday at {time}", time=hour)
        case 1:
            return tr("tomorrow at {time}", time=hour)
        case _:
            return tr("{day} at {time}", day=_day_of(time, now), time=hour)


def stamp(time: datetime, now: datetime) -> str:
    """For columns: ``Today, 14:00``, ``Yesterday, 18:04``, ``Sat 14 Nov, 19:20``."""
    hour = clock(time)
    match (time.date() - now.date()).days:
        case 0:
            return tr("Today, {time}", time=hour)
        case -1:
            return tr("Yesterday, {time}", time=hour)
        case _:
            return tr("{day}, {time}", day=_day_of(time, now), time=hour)


def ago(time: datetime, now: datetime) -> str:
    """``2 hours ago`` within a day, then as :func:`at`; so, too, what lies in the future."""
    passed = now - time
    if passed < timedelta() or passed >= timedelta(days=1):
        return at(time, now)
    minutes = int(passed.total_seconds()) // 60
    if minutes < 1:
        return tr("just now")
    if passed < _HOUR:
        return trn("{number} minute ago", "{number} minutes ago", minutes)
    return trn("{number} hour ago", "{number} hours ago", minutes // 60)


def _day_of(time: datetime, now: datetime) -> str:
    return locale().toString(_qdate(time), _SAME_YEAR if time.year == now.year else _ANY_YEAR)


def _qdate(when: date) -> QDate:
    return QDate(when.year, when.month, when.day)
