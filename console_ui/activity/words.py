"""States and progress in words, with the icon and the tone that go with them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.activity.glance import Judged
from console_ui.activity.models import Run
from console_ui.activity.state import State
from console_ui.web.quantities import bytes_in_words

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class StateWords:
    """``tone`` and ``icon`` are names of the design kit."""

    text: str
    tone: str
    icon: str
    is_away: bool = False


def state_words(judged: Judged) -> StateWords:
    match judged.state:
        case State.SILENT:
            days = judged.judgement.silent_days
            text = ngettext("Silent %(n)s day", "Silent %(n)s days", days) % {"n": days}
            return StateWords(text, "bad", "octagon-alert", is_away=True)
        case State.FAILED:
            return StateWords(_("Problem"), "bad", "octagon-alert")
        case State.OVERDUE:
            return StateWords(_("Overdue"), "warn", "clock")
        case State.WARNING:
            return StateWords(_("Warning"), "warn", "triangle-alert")
        case State.RUNNING:
            return StateWords(_("Running"), "run", "refresh-cw")
        case State.PROTECTED:
            return StateWords(_("Protected"), "ok", "shield-check")
        case State.NOTHING_YET:
            return StateWords(_("No backup yet"), "paused", "circle-pause")
        case State.RESTORES:
            return StateWords(_("Restore only"), "paused", "usb")


def trouble(judged: Judged) -> str:
    """What is wrong, as the end of a sentence that begins with the device's name."""
    words = {"name": judged.device.name}
    last = judged.report.last_ended if judged.report else None
    match judged.state:
        case State.SILENT:
            days = judged.judgement.silent_days
            told = ngettext(
                "%(name)s has been silent for %(n)s day",
                "%(name)s has been silent for %(n)s days",
                days,
            )
            return told % {**words, "n": days}
        case State.WARNING:
            omitted = last.omitted if last else 0
            told = ngettext(
                "%(name)s left %(n)s item out", "%(name)s left %(n)s items out", omitted
            )
            return told % {**words, "n": omitted}
        case State.FAILED:
            return _("the last backup of %(name)s failed") % words
        case _:
            return _("%(name)s is late") % words


@dataclass(frozen=True, slots=True)
class ProgressWords:
    """``percent`` is None while nobody knows how much there is."""

    percent: int | None
    left: str
    done: str


def progress_words(run: Run) -> ProgressWords:
    """How far a run is, without ever saying that it is done before it is."""
    seconds = ((run.progress_at or run.started_at) - run.started_at).total_seconds()
    rate = run.bytes_done / seconds if seconds > 0 else 0.0
    done = _("%(bytes)s read") % {"bytes": bytes_in_words(run.bytes_done)}
    if rate:
        done = _("%(bytes)s read, %(rate)s/s") % {
            "bytes": bytes_in_words(run.bytes_done),
            "rate": bytes_in_words(int(rate)),
        }
    if run.bytes_total <= run.bytes_done:
        return ProgressWords(None, "", done)
    percent = min(99, 100 * run.bytes_done // run.bytes_total)
    return ProgressWords(percent, _left(run.bytes_total - run.bytes_done, rate), done)


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
