from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import UsageError
from backup_agent.model.ids import PackId
from backup_agent.model.subset import EVERYTHING, parse_subset

PACKS = [PackId(hashlib.sha256(bytes([n])).hexdigest()) for n in range(200)]


@given(percent=st.integers(1, 100), first_day=st.integers(0, 30_000))
def test_as_many_rotations_as_shares_fit_reach_every_pack(percent: int, first_day: int) -> None:
    days = range(first_day, first_day + -(-100 // percent))
    subsets = [parse_subset(f"{percent}%", rotation=day) for day in days]
    assert all(any(pack in subset for subset in subsets) for pack in PACKS)


@given(parts=st.integers(1, 40))
def test_numbered_parts_hold_every_pack_exactly_once(parts: int) -> None:
    subsets = [parse_subset(f"{n}/{parts}", rotation=7) for n in range(1, parts + 1)]
    assert all(sum(pack in subset for subset in subsets) == 1 for pack in PACKS)


def test_share_is_about_as_large_as_it_says() -> None:
    subset = parse_subset("25%", rotation=3)
    assert subset.share == Fraction(1, 4)
    assert 30 < sum(pack in subset for pack in PACKS) < 70
    assert all(pack in EVERYTHING for pack in PACKS)


@pytest.mark.parametrize("text", ["", "5", "0%", "101%", "-5%", "0/3", "4/3", "1/0", "x%", "5 %"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_subset(text, rotation=0)
