"""A share of the packs, chosen so that successive checks get round to all of them.

Pack ids are hashes, so they lie evenly on a ring. A subset is an arc of it.
The next rotation's arc starts where this one ends; whoever calls decides what
a rotation is (the number of the day, say).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from backup_agent.errors import UsageError
from backup_agent.model.ids import PackId

_RING = 1 << 64


@dataclass(frozen=True, slots=True)
class PackSubset:
    """The arc from ``start`` on, ``share`` long; both as parts of the ring, 0 to 1."""

    start: Fraction
    share: Fraction

    def __contains__(self, pack: PackId) -> bool:
        place = Fraction(int(pack[:16], 16), _RING)
        return (place - self.start) % 1 < self.share


EVERYTHING = PackSubset(Fraction(0), Fraction(1))


def parse_subset(text: str, *, rotation: int) -> PackSubset:
    """``5%`` or ``2.5%``: the share whose turn it is; ``3/10``: the third of ten, always.

    Raises :class:`UsageError`.
    """
    if percent := re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)%", text):
        share = Fraction(percent[1]) / 100
        if 0 < share <= 1:
            return PackSubset(rotation * share % 1, share)
    if part := re.fullmatch(r"(\d{1,9})/(\d{1,9})", text):
        number, parts = int(part[1]), int(part[2])
        if 1 <= number <= parts:
            return PackSubset(Fraction(number - 1, parts), Fraction(1, parts))
    raise UsageError(
        f"{text!r} names no share of the data.",
        hint='Write a percentage as "5%", or one part of several as "2/10".',
    )
