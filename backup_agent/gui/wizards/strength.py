"""How long a password would withstand somebody who has the repository and tries. Pure.

The repository's key costs about 0.4 s of one processor core for each try (scrypt). The estimate
counts the characters that could stand at each place, and takes repeated or rising ones for none:
it does not know words, and says so by asking for length first.
"""

from __future__ import annotations

import math
from enum import IntEnum
from itertools import pairwise


class Strength(IntEnum):
    """By the bits of its guesses: below 40, below 60, more."""

    WEAK = 0
    FAIR = 1
    STRONG = 2


_FAIR_BITS, _STRONG_BITS = 40.0, 60.0
# Characters to choose from, by whether one is of that kind.
_ALPHABETS = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10))
_OTHERS = 33


def strength_of(password: str) -> Strength:
    bits = guess_bits(password)
    if bits < _FAIR_BITS:
        return Strength.WEAK
    return Strength.FAIR if bits < _STRONG_BITS else Strength.STRONG


def guess_bits(password: str) -> float:
    """An upper bound of what has to be guessed."""
    if not password:
        return 0.0
    size = sum(count for is_kind, count in _ALPHABETS if any(map(is_kind, password)))
    if any(not character.isalnum() for character in password):
        size += _OTHERS
    # What repeats or counts on from its neighbour surprises nobody.
    surprising = 1 + sum(abs(ord(a) - ord(b)) > 1 for a, b in pairwise(password))
    return min(surprising, len(set(password)) * 2) * math.log2(max(size, 2))
