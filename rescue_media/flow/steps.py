"""The shapes that every step has."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rescue_media.flow.pages import Flow, Page
from rescue_media.flow.values import Problem
from rescue_media.flow.wishes import Wish


@dataclass(frozen=True, slots=True)
class Step:
    """Where it leads, and what is to be done for it."""

    flow: Flow
    wish: Wish | None = None


def behind(flow: Flow) -> Flow:
    """On the page before, its own trail behind it."""
    *trail, page = flow.trail
    return replace(flow, page=page, trail=tuple(trail), busy="", problem=None)


def go(flow: Flow, page: Page, *, problem: Problem | None = None) -> Step:
    """One page further; "Back" leads to this one."""
    trail = (*flow.trail, flow.page)
    return Step(replace(flow, page=page, trail=trail, busy="", problem=problem))


def stay(flow: Flow, page: Page | None = None) -> Step:
    """The same page, perhaps with something else on it."""
    return Step(replace(flow, page=page or flow.page, busy="", problem=None))


def wait(flow: Flow, words: str, wish: Wish) -> Step:
    """Something is to be done; ``words`` say what is waited for."""
    return Step(replace(flow, busy=words, problem=None), wish)
