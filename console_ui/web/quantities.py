"""Bytes and moments in words, as the design kit writes them, in the reader's language."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

# In 1000s, as disks are sold.
_UNITS = (
    gettext_lazy("kB"),
    gettext_lazy("MB"),
    gettext_lazy("GB"),
    gettext_lazy("TB"),
    gettext_lazy("PB"),
)
_STEP = 1000
_DIGITS = 3
_NO_BREAK = "\N{NO-BREAK SPACE}"


def bytes_in_words(count: int) -> str:
    """``count`` bytes to three digits: "240 GB", "3.62 TB", "1.5 TB"."""
    if count < _STEP:
        word = ngettext("byte", "bytes", count)
        return f"{count}{_NO_BREAK}{word}"
    value, place = count / _STEP, 0
    while round(value) >= _STEP and place + 1 < len(_UNITS):
        value, place = value / _STEP, place + 1
    value = round(value, max(0, _DIGITS - len(str(int(value)))))
    # "1.5", not "1.50": zeros at the end would claim a precision that nobody needs.
    decimals = len(f"{value:g}".partition(".")[2])
    return f"{number_format(value, decimals)}{_NO_BREAK}{_UNITS[place]}"


def ago(moment: datetime) -> str:
    """How long since ``moment``, up to a day; after that its weekday and date, in UTC."""
    passed = timezone.now() - moment
    if passed >= timedelta(days=1):
        return date_format(moment, "D j F Y")
    minutes = int(passed.total_seconds()) // 60
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    hours = minutes // 60
    return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}


def at(moment: datetime) -> str:
    """Day and time in UTC: "24 Nov 2026, 03:31"."""
    return date_format(moment, _day_and_time())


def exactly(moment: datetime) -> str:
    """The same with weekday and seconds, to tell apart what began in the same minute."""
    return date_format(moment, f"D {_day_and_time()}:s")


def _day_and_time() -> str:
    return pgettext("Django's date format", "j M Y, H:i")


def soon(moment: datetime) -> str:
    """The same for what is to come: "Today, 18:00", "Tomorrow, 02:00", "24 Nov, 03:31"."""
    time = date_format(moment, "H:i")
    match (moment.date() - timezone.now().date()).days:
        case 0:
            return _("Today, %(time)s") % {"time": time}
        case 1:
            return _("Tomorrow, %(time)s") % {"time": time}
        case _:
            return date_format(moment, pgettext("Django's date format", "j M, H:i"))
