"""restic's chunker polynomial: random, of degree 53, irreducible over GF(2).

We do not chunk by it, but every config has one, and restic uses it when it
backs up into a repository that we made.
"""

from __future__ import annotations

import secrets

DEGREE = 53


def random_polynomial() -> int:
    """Bit i is the coefficient of x^i."""
    while True:
        # Bit 0 set and an odd number of terms: else x or x+1 divides it.
        candidate = secrets.randbits(DEGREE) | (1 << DEGREE) | 1
        if candidate.bit_count() % 2 and is_irreducible(candidate):
            return candidate


def is_irreducible(polynomial: int) -> bool:
    """Rabin's test for a polynomial of prime degree n: x^(2^n) = x, and it has no root."""
    degree = polynomial.bit_length() - 1
    if degree != DEGREE or not polynomial & 1 or polynomial.bit_count() % 2 == 0:
        return False
    power = 0b10
    for _ in range(degree):
        power = _reduce(_square(power), polynomial)
    return power == 0b10


def _square(value: int) -> int:
    """Over GF(2) the cross terms cancel: the square of a sum of x^i is the sum of x^2i."""
    result = 0
    for i in range(value.bit_length()):
        result |= (value >> i & 1) << 2 * i
    return result


def _reduce(value: int, modulus: int) -> int:
    degree = modulus.bit_length()
    while (excess := value.bit_length() - degree) >= 0:
        value ^= modulus << excess
    return value
