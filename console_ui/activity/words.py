"""States in words, with the icon and the tone that go with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console_ui.activity.glance import Judged
from console_ui.activity.models import Run
from console_ui.activity.state import JudgedPlan, Judgement, State

_MOST_MESSAGE = 90


@dataclass(frozen=True, slots=True)
class StateWords:
    """``tone`` and ``icon`` are names of the design kit."""

    text: str
    tone: str
    icon: str
    is_away: bool = False


def state_words(judged: Judged) -> StateWords:
    """The device's own word."""
    if judged.state is State.SILENT:
        days = judged.judgement.silent_days
        text = ngettext("Silent %(n)s day", "Silent %(n)s days", days) % {"n": days}
        return StateWords(text, "bad", "octagon-alert", is_away=True)
    return words_of(judged.state)


def words_of(state: State) -> StateWords:
    """Of a device, or of one of its plans."""
    match state:
        case State.SILENT:
            return StateWords(_("Silent"), "bad", "octagon-alert", is_away=True)
        case State.FAILED:
            return StateWords(_("Problem"), "bad", "octagon-alert")
        case State.OVERDUE:
            return StateWords(_("Overdue"), "warn", "clock")
        case State.WARNING:
            return StateWords(_("Warning"), "warn", "triangle-alert")
        case State.PARTLY:
            return StateWords(_("Partly protected"), "warn", "triangle-alert")
        case State.RUNNING:
            return StateWords(_("Running"), "run", "refresh-cw")
        case State.PROTECTED:
            return StateWords(_("Protected"), "ok", "shield-check")
        case State.NOTHING_YET:
            return StateWords(_("No backup yet"), "paused", "circle-pause")
        case State.NO_PLAN:
            return StateWords(_("No plan"), "paused", "circle-pause")
        case State.RESTORES:
            return StateWords(_("Restore only"), "paused", "usb")
        case _:
            assert_never(state)


def trouble(judged: Judged) -> str:
    """What is wrong, as the end of a sentence that begins with the device's name."""
    judgement = judged.judgement
    words = {"name": judged.device.name, "plan": _first_plan(judgement)}
    match judgement.settled:
        case State.SILENT:
            days = judgement.silent_days
            told = ngettext(
                "%(name)s has been silent for %(n)s day",
                "%(name)s has been silent for %(n)s days",
                days,
            )
            return told % {**words, "n": days}
        case State.WARNING:
            told = ngettext(
                "%(name)s left %(n)s item out", "%(name)s left %(n)s items out", judgement.omitted
            )
            return told % {**words, "n": judgement.omitted}
        case State.FAILED:
            return _("the last backup of %(name)s failed") % words
        case State.PARTLY:
            return _("the plan %(plan)s of %(name)s has never run") % words
        case _:
            return _("%(name)s is late") % words


def plan_troubles(judged: Judged) -> list[StateWords]:
    """A line for each plan that is not kept, the worst first. Of a device's only plan, only what
    its state does not say.
    """
    plans = judged.judgement.plans
    troubled = sorted((each for each in plans if each.state is not State.PROTECTED), key=_how_bad)
    names_them = len(plans) > 1
    return [words for each in troubled if (words := _plan_trouble(each, names_it=names_them))]


def _plan_trouble(judged: JudgedPlan, *, names_it: bool) -> StateWords | None:
    match judged.state, judged.last:
        case State.WARNING, Run(omitted=omitted):
            told = ngettext("%(n)s item left out", "%(n)s items left out", omitted)
            words = StateWords(told % {"n": omitted}, "warn", "triangle-alert")
        case State.FAILED, Run() as last:
            text = last.message or last.get_outcome_display()
            words = StateWords(Truncator(text).chars(_MOST_MESSAGE), "bad", "octagon-alert")
        case State.OVERDUE, _ if names_it:
            words = StateWords(_("late"), "warn", "clock")
        case State.NOTHING_YET, _ if names_it:
            words = StateWords(_("has never run"), "warn", "circle-pause")
        case _:
            return None
    return replace(words, text=f"{judged.name}: {words.text}") if names_it else words


def _how_bad(judged: JudgedPlan) -> int:
    return list(State).index(judged.state)


def _first_plan(judgement: Judgement) -> str:
    return next((each.name for each in judgement.in_state(State.NOTHING_YET)), "")
