"""scrypt: the RFC's numbers, and limits against hostile key files."""

from __future__ import annotations

import hashlib

import pytest

from backup_agent.crypto.password import STRONG, ScryptParameters, derive_key
from backup_agent.errors import IntegrityError


def test_the_key_is_scrypts_64_bytes_in_restics_order() -> None:
    # RFC 7914, section 12, second example.
    expected = bytes.fromhex(
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    )

    key = derive_key("password", b"NaCl", ScryptParameters(n=1024, r=8, p=16))

    assert (key.encrypt, key.mac_k, key.mac_r) == (expected[:32], expected[32:48], expected[48:])


def test_passwords_are_utf_8() -> None:
    key = derive_key("pässwörd", b"salt", ScryptParameters(n=2, r=1, p=1))
    expected = hashlib.scrypt("pässwörd".encode(), salt=b"salt", n=2, r=1, p=1, dklen=64)

    assert key.encrypt == expected[:32]


@pytest.mark.parametrize(
    ("n", "r", "p"),
    [(0, 8, 1), (1, 8, 1), (-2, 8, 1), (3, 8, 1), (1000, 8, 1), (2, 0, 1), (2, 1, 0), (2, -1, 1)],
)
def test_impossible_parameters_are_refused(n: int, r: int, p: int) -> None:
    with pytest.raises(IntegrityError):
        ScryptParameters(n=n, r=r, p=p)


@pytest.mark.parametrize(
    ("n", "r", "p"),
    [(1 << 24, 8, 1), (1 << 15, 1 << 20, 1), (1 << 15, 8, 1 << 20), (1 << 62, 1, 1)],
)
def test_parameters_that_would_eat_all_memory_or_time_are_refused(n: int, r: int, p: int) -> None:
    with pytest.raises(IntegrityError, match="too much work"):
        ScryptParameters(n=n, r=r, p=p)


def test_what_restic_calibrates_to_is_allowed() -> None:
    for p in range(1, 40):
        ScryptParameters(n=1 << 15, r=8, p=p)
    assert STRONG.n * STRONG.r * STRONG.p >= (1 << 15) * 8 * 8
