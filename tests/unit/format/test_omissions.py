"""The list of what a restore point lacks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.errors import IntegrityError
from backup_agent.format.omissions import decode_omissions, encode_omissions
from backup_agent.model.disk import Extent
from backup_agent.model.omission import Omission

omissions = st.builds(
    Omission,
    path=st.binary(min_size=1, max_size=30),
    reason=st.text(alphabet=st.characters(codec="utf-8")),
    during=st.sampled_from(["scan", "read", "change"]),
    ranges=st.lists(
        st.builds(Extent, st.integers(0, 1 << 60), st.integers(1, 1 << 60)), max_size=3
    ).map(tuple),
)


@given(st.lists(omissions, max_size=5).map(tuple))
def test_any_list_comes_back(found: tuple[Omission, ...]) -> None:
    assert decode_omissions(encode_omissions(found)) == found


def test_each_omission_is_one_line_that_people_can_read() -> None:
    data = encode_omissions(
        [
            Omission("/home/ann/größe\n".encode(), "no", "read", (Extent(4096, 512),)),
            Omission(b"/\xff", "no", "scan"),
        ]
    )

    first, second = (json.loads(line) for line in data.decode().splitlines())
    assert first == {
        "path": "/home/ann/größe\n",
        "reason": "no",
        "during": "read",
        "ranges": [{"start": 4096, "size": 512}],
    }
    assert second == {"path": "/\ufffd", "path_raw": "L/8=", "reason": "no", "during": "scan"}


@pytest.mark.parametrize("text", [b"x\n", b"{}\n", b"\n", b"[" * 100_000])
def test_what_is_no_list_is_damage(text: bytes) -> None:
    with pytest.raises(IntegrityError):
        decode_omissions(text)
