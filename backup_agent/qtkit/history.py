"""What every day of the last weeks added and took: plain values for the history chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from backup_agent.qtkit import dates, words
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.state import State


@dataclass(frozen=True, slots=True)
class Day:
    """``state`` is ``None`` where nothing ran; ``added`` bytes, ``seconds`` taken."""

    date: date
    added: int = 0
    seconds: float = 0.0
    state: State | None = None

    @property
    def words(self) -> str:
        """``3 Nov: 2.1 GB added in 7 minutes, something left out``"""
        name = dates.day(self.date)
        match self.state:
            case None:
                return tr("{day}: no backup", day=name)
            case State.PROBLEM:
                return tr("{day}: failed", day=name)
            case _:
                pass
        said = tr(
            "{day}: {size} added in {time}",
            day=name,
            size=words.size(self.added),
            time=words.duration(self.seconds),
        )
        left_out = self.state is State.WARNING
        return f"{said}, {tr('something left out')}" if left_out else said


@dataclass(frozen=True, slots=True)
class History:
    """Days in order, none missing."""

    days: tuple[Day, ...] = ()

    @property
    def words(self) -> str:
        """The whole picture in one sentence."""
        ran = sum(day.state not in (None, State.PROBLEM) for day in self.days)
        failed = sum(day.state is State.PROBLEM for day in self.days)
        largest = max(self.days, key=lambda day: day.added, default=None)
        said = trn("Backups on {number} day", "Backups on {number} days", ran)
        if largest is not None and largest.added:
            size, day = words.size(largest.added), dates.day(largest.date)
            said += ", " + tr("most on {day}: {size}", day=day, size=size)
        if failed:
            said += ", " + trn("{number} day failed", "{number} days failed", failed)
        return said


def round_top(values: Sequence[float], *, base: float = 10) -> float:
    """The smallest of 1, 2, 5 times a power that none exceeds: the axis' end.

    ``base`` 60 for seconds, so that the axis ends at whole minutes.
    """
    largest = max(values, default=0)
    if largest <= 0:
        return base
    if base == 60:
        minutes = round_top([largest / 60])
        return minutes * 60
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= largest)
