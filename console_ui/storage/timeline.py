"""How much was there at certain moments, of things that come and go."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """``amount`` was there from a moment on (None: from ever) until another (None: it still is)."""

    amount: int
    since: datetime | None
    until: datetime | None


def amounts_at(moments: Sequence[datetime], stays: Iterable[Stay]) -> list[int]:
    """The sum of what was there at each of the moments, which are in order.

    What came at a moment counts there, what went at it does not.
    """
    changes = [0] * (len(moments) + 1)
    for stay in stays:
        changes[bisect_left(moments, stay.since or _EVER)] += stay.amount
        if stay.until is not None:
            changes[bisect_left(moments, max(stay.until, stay.since or _EVER))] -= stay.amount
    return list(accumulate(changes[:-1]))
