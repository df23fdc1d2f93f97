"""How a page says that somebody must wait."""

from __future__ import annotations

from django.utils.translation import ngettext

_MINUTE_SECONDS = 60


def waiting_words(seconds: int) -> str:
    if seconds < _MINUTE_SECONDS:
        return ngettext(
            "Too many attempts. Try again in %(count)d second.",
            "Too many attempts. Try again in %(count)d seconds.",
            seconds,
        ) % {"count": seconds}
    minutes = -(-seconds // _MINUTE_SECONDS)
    return ngettext(
        "Too many attempts. Try again in %(count)d minute.",
        "Too many attempts. Try again in %(count)d minutes.",
        minutes,
    ) % {"count": minutes}
