"""A file's times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template

from console_ui.web import quantities

register = template.Library()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@register.filter
def moment(ns: int) -> str:
    """A moment in UTC, from nanoseconds since 1970. Empty for one that no calendar has."""
    try:
        at = _EPOCH + timedelta(seconds=ns // 1_000_000_000)
    except OverflowError:
        return ""
    return quantities.at(at)
