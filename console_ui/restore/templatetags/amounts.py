"""Bytes and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.formats import date_format, number_format

register = template.Library()

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_THREE_DIGITS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@register.filter
def amount(size: object) -> str:
    """Bytes in thousands, as disks are sold: ``2.0 GB``. Empty for what is not known."""
    if not isinstance(size, int):
        return ""
    value, unit = float(size), 0
    while value >= _THOUSAND and unit < len(_UNITS) - 1:
        value /= _THOUSAND
        unit += 1
    digits = 0 if unit == 0 or value >= _THREE_DIGITS else 1
    return f"{number_format(value, digits)} {_UNITS[unit]}"


@register.filter
def moment(ns: int) -> str:
    """A file's time in UTC, from nanoseconds since 1970. Empty for one that no calendar has."""
    try:
        at = _EPOCH + timedelta(seconds=ns // 1_000_000_000)
    except OverflowError:
        return ""
    return date_format(at, "j M Y, H:i")
