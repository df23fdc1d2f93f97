"""The five states that anything can be in, always told by icon, word and colour together."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from backup_agent.qtkit.tokens import Palette


class State(StrEnum):
    """The values are the names that style sheets know."""

    OK = "ok"
    WARNING = "warn"
    PROBLEM = "bad"
    PAUSED = "paused"
    RUNNING = "running"


def icon_of(state: State) -> str:
    """Its name in ``icons.svg``."""
    match state:
        case State.OK:
            return "shield-check"
        case State.WARNING:
            return "triangle-alert"
        case State.PROBLEM:
            return "octagon-alert"
        case State.PAUSED:
            return "circle-pause"
        case State.RUNNING:
            return "refresh-cw"
        case _:
            assert_never(state)


def colours_of(state: State, palette: Palette) -> tuple[str, str, str]:
    """(of the mark, of the ground, of text on that ground)"""
    match state:
        case State.OK:
            return palette.ok, palette.ok_soft, palette.ok_ink
        case State.WARNING:
            return palette.warn, palette.warn_soft, palette.warn_ink
        case State.PROBLEM:
            return palette.bad, palette.bad_soft, palette.bad_ink
        case State.PAUSED:
            return palette.paused, palette.paused_soft, palette.paused_ink
        case State.RUNNING:
            return palette.accent, palette.accent_soft, palette.accent_ink
        case _:
            assert_never(state)
