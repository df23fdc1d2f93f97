"""Noticing that a plan's disk was plugged in."""

from __future__ import annotations

from backup_agent.agent.agenda import Present
from backup_agent.agent.plan import Plan


class Plugging:
    """Asked time and again. A disk that is there at the first look counts as plugged in."""

    def __init__(self, present: Present) -> None:
        self._present = present
        self._there: frozenset[str] = frozenset()

    def look(self, plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
        """The plans that run on plugging in, and whose disk has come."""
        waiting = [plan for plan in plans if plan.on_plug]
        there = frozenset(plan.id for plan in waiting if self._present(plan.location))
        come, self._there = there - self._there, there
        return tuple(plan for plan in waiting if plan.id in come)
