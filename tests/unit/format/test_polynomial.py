"""restic's chunker polynomial."""

from __future__ import annotations

import pytest

from backup_agent.format.polynomial import DEGREE, is_irreducible, random_polynomial


def divides(divisor: int, value: int) -> bool:
    """Long division over GF(2)."""
    while value.bit_length() >= divisor.bit_length():
        value ^= divisor << (value.bit_length() - divisor.bit_length())
    return value == 0


def times(a: int, b: int) -> int:
    product = 0
    for bit in range(b.bit_length()):
        if b >> bit & 1:
            product ^= a << bit
    return product


def test_random_polynomials_are_of_degree_53_without_small_divisors() -> None:
    found = {random_polynomial() for _ in range(20)}

    assert len(found) == 20
    for polynomial in found:
        assert polynomial.bit_length() == DEGREE + 1
        assert not any(divides(divisor, polynomial) for divisor in range(2, 1 << 10))


def test_the_polynomial_of_restics_documentation_is_irreducible() -> None:
    assert is_irreducible(0x25B468838DCB75)


@pytest.mark.parametrize("degree", [6, 10, 20, 26])
def test_a_product_is_never_irreducible(degree: int) -> None:
    for low in range(1, 64, 2):
        product = times((1 << degree) | low, (1 << (DEGREE - degree)) | 0b101)
        assert product.bit_length() == DEGREE + 1
        assert not is_irreducible(product)


@pytest.mark.parametrize("value", [0, 1, 2, 0b1011, 1 << 53, (1 << 54) - 1])
def test_what_has_another_degree_or_a_root_is_not(value: int) -> None:
    assert not is_irreducible(value)
