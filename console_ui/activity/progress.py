"""How far a running backup is, in words that never promise more than is known."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.activity.models import Run
from console_ui.web.quantities import bytes_in_words

_MINUTE = 60
_ALL_PERCENT = 100
_SURE_PERCENT = 95
"""The total is what the last run read. Near it nobody knows whether this one has more."""


@dataclass(frozen=True, slots=True)
class ProgressWords:
    """``percent`` is None while nobody knows how much there is; ``title`` says how far it is."""

    title: str
    percent: int | None
    left: str
    done: str


def progress_words(run: Run) -> ProgressWords:
    """How far a run is, without ever saying that it is done before it is."""
    seconds = ((run.progress_at or run.started_at) - run.started_at).total_seconds()
    rate = run.bytes_done / seconds if seconds > 0 else 0.0
    done = _done(run.bytes_done, rate)
    if not run.bytes_total:
        return ProgressWords(_("Reading"), None, "", done)
    if run.bytes_done >= run.bytes_total:
        return ProgressWords(_("More than last time"), None, "", done)
    percent = _ALL_PERCENT * run.bytes_done // run.bytes_total
    left = _left(run.bytes_total - run.bytes_done, rate) if percent < _SURE_PERCENT else ""
    return ProgressWords(f"{percent} %", percent, left, done)


def _done(count: int, rate: float) -> str:
    if not rate:
        return _("%(bytes)s read") % {"bytes": bytes_in_words(count)}
    return _("%(bytes)s read, %(rate)s/s") % {
        "bytes": bytes_in_words(count),
        "rate": bytes_in_words(int(rate)),
    }


def _left(bytes_left: int, rate: float) -> str:
    if not rate:
        return ""
    seconds = bytes_left / rate
    if seconds < _MINUTE:
        return _("less than a minute left")
    minutes = round(seconds / _MINUTE)
    if minutes < 2 * _MINUTE:
        return ngettext("about %(n)s minute left", "about %(n)s minutes left", minutes) % {
            "n": minutes
        }
    hours = round(minutes / 60)
    return ngettext("about %(n)s hour left", "about %(n)s hours left", hours) % {"n": hours}
