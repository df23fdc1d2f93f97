"""How many restore points devices have deleted, of those that were there together once.

What counts is each moment after one was made, and what was there then: rubbish that came later
makes no share of it smaller, and whoever deletes a few a day has deleted many in the end. An
ordinary plan deletes some, too, which are not missed:

- Those that a plan can have made, one by one: which of them it keeps, the retention tells. A crowd
  that came at once was copied from elsewhere, and is of many days.
- But a plan that lets go what it made today leaves something that was there with it. Where of
  three and more nothing is left but what came later, that may be rubbish.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from console_ui.storage.expected import Expectation
from console_ui.storage.models import Vault
from console_ui.storage.points import Point
from console_ui.storage.timeline import Stay, amounts_at

_BETWEEN_BACKUPS = timedelta(minutes=10)
_LONGEST_CROWD = timedelta(hours=1)
_A_DAY = timedelta(days=1)
_FEW = 3


def too_many_points_lost(
    vault: Vault, points: Sequence[Point], expected: Expectation, *, now: datetime, percent: int
) -> bool:
    """Whether of the restore points that were there at some moment, more than that is gone.

    ``points``: what is visible, and what was within the time that is looked at; in order.
    """
    visible = [point for point in points if point.hidden_at is None]
    crowds = list(_crowds(points))
    moments = [crowd[-1].made_at for crowd in crowds]
    if not expected.kept:
        # Nobody knows what a plan would keep: only a day's deletions can be judged.
        moments = [now - _A_DAY, *(moment for moment in moments if moment > now - _A_DAY)]
    unplanned = list(_unplanned(crowds, expected, now=now))
    if len(unplanned) == 1 and _is_young(unplanned[0]):
        # At the moment of the first in a new vault, that was all there was.
        return percent * (len(visible) + 1) < 100
    there, lost = _numbers_at(moments, points), _numbers_at(moments, unplanned)
    if any(gone * 100 > number * percent for gone, number in zip(lost, there, strict=True)):
        return True
    # Of earlier deletions, something did stay then; that may be over by now.
    lately = [p for p in points if p.hidden_at is not None and now - p.hidden_at < _A_DAY]
    rest = [*visible, *(point for point in lately if not expected.is_over(point))]
    there, left = _numbers_at(moments, rest), _numbers_at(moments, visible)
    few = max(_FEW, vault.keep_last + 2)
    return any(number >= few and not stay for number, stay in zip(there, left, strict=True))


def _unplanned(
    crowds: Iterable[Sequence[Point]], expected: Expectation, *, now: datetime
) -> Iterator[Point]:
    """Those that no plan lets go. Of what is of unknown age, or in a vault without rules, only a
    day's deletions count: a plan may delete it bit by bit.
    """
    for crowd in crowds:
        for point in crowd:
            if point.hidden_at is None:
                continue
            is_known = bool(expected.kept) and point.is_dated
            is_let_go = is_known or (not expected.kept and _is_young(point))
            if is_let_go and len(crowd) <= _FEW:
                continue
            if is_known or now - point.hidden_at < _A_DAY:
                yield point


def _crowds(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Points, in order, that came too fast one after another to be backups of a plan."""
    crowd: list[Point] = []
    for point in points:
        if crowd and (
            point.made_at - crowd[-1].made_at >= _BETWEEN_BACKUPS
            or point.made_at - crowd[0].made_at >= _LONGEST_CROWD
        ):
            yield crowd
            crowd = []
        crowd.append(point)
    if crowd:
        yield crowd


def _is_young(point: Point) -> bool:
    """Whether it lived for less than a day."""
    return (
        point.is_dated and point.hidden_at is not None and point.hidden_at - point.made_at < _A_DAY
    )


def _numbers_at(moments: Sequence[datetime], points: Iterable[Point]) -> list[int]:
    return amounts_at(moments, (Stay(1, p.made_at, p.hidden_at) for p in points))
