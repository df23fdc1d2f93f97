"""Sealing against the literature's numbers, a second calculation, and tampering."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from backup_agent.crypto.cipher import OVERHEAD, SEAL_ROOM, MasterKey, Sealer
from backup_agent.errors import IntegrityError

KEY = MasterKey.from_bytes(bytes(range(64)))


def sealed_by_the_book(key: MasterKey, iv: bytes, plain: bytes) -> bytes:
    """CTR and Poly1305-AES spelt out with nothing but AES on single blocks and integers."""

    def aes(secret: bytes, block: bytes) -> bytes:
        encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()
        return encryptor.update(block)

    counter = int.from_bytes(iv, "big")
    stream = b"".join(
        aes(key.encrypt, ((counter + n) % 2**128).to_bytes(16, "big"))
        for n in range(-(-len(plain) // 16))
    )
    ciphertext = bytes(a ^ b for a, b in zip(plain, stream, strict=False))
    r = int.from_bytes(key.mac_r, "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for start in range(0, len(ciphertext), 16):
        block = ciphertext[start : start + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % (2**130 - 5)
    mac = (total + int.from_bytes(aes(key.mac_k, iv), "little")) % 2**128
    return iv + ciphertext + mac.to_bytes(16, "little")


def test_the_mac_is_the_one_of_bernsteins_paper() -> None:
    # "The Poly1305-AES message-authentication code", appendix B, first example.
    key = MasterKey(
        encrypt=bytes(32),
        mac_k=bytes.fromhex("ec074c835580741701425b623235add6"),
        mac_r=bytes.fromhex("851fc40c3467ac0be05cc20404f3f700"),
    )
    nonce = bytes.fromhex("fb447350c4e868c52ac3275cf9d4327e")
    tag = bytes.fromhex("f4c633c3044fc145f84f335cb81953de")

    assert len(Sealer(key).open(nonce + bytes.fromhex("f3f6") + tag)) == 2


@given(key=st.binary(min_size=64, max_size=64), iv=st.binary(min_size=16, max_size=16),
       plain=st.binary(max_size=100))  # fmt: skip
def test_what_the_book_seals_opens(key: bytes, iv: bytes, plain: bytes) -> None:
    master = MasterKey.from_bytes(key)

    assert Sealer(master).open(sealed_by_the_book(master, iv, plain)) == plain


def test_sealing_gives_the_bytes_of_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    # A counter that runs over all its 128 bits while it counts.
    iv = b"\xff" * 16
    plain = b"backup that boots" * 5

    def fixed(size: int) -> bytes:
        return iv[:size]

    monkeypatch.setattr(os, "urandom", fixed)

    assert Sealer(KEY).seal(plain) == sealed_by_the_book(KEY, iv, plain)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_one_sealer_opens_all_it_sealed(plains: list[bytes]) -> None:
    sealer = Sealer(KEY)
    sealed = [sealer.seal(plain) for plain in plains]

    assert [sealer.open(one) for one in sealed] == plains
    assert [len(one) - OVERHEAD for one in sealed] == [len(plain) for plain in plains]


def test_the_same_bytes_never_seal_alike() -> None:
    sealer = Sealer(KEY)

    assert len({sealer.seal(b"same") for _ in range(20)}) == 20


def test_sealing_into_a_buffer_leaves_what_stands_behind() -> None:
    plain = b"x" * 33
    buffer = bytearray(b"\xaa" * 200)

    end = Sealer(KEY).seal_into(plain, memoryview(buffer))

    assert end == len(plain) + OVERHEAD
    assert buffer[end + SEAL_ROOM :] == b"\xaa" * (200 - end - SEAL_ROOM)
    assert Sealer(KEY).open(memoryview(buffer)[:end]) == plain


@given(data=st.data(), plain=st.binary(max_size=64))
def test_any_flipped_bit_is_noticed(data: st.DataObject, plain: bytes) -> None:
    sealed = bytearray(Sealer(KEY).seal(plain))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(IntegrityError):
        Sealer(KEY).open(sealed)


@pytest.mark.parametrize("size", range(OVERHEAD + 8))
def test_anything_cut_short_is_noticed(size: int) -> None:
    sealed = Sealer(KEY).seal(b"12345678")

    with pytest.raises(IntegrityError):
        Sealer(KEY).open(sealed[:size])


@pytest.mark.parametrize(
    "change",
    [
        lambda key: MasterKey(key.encrypt, os.urandom(16), key.mac_r),
        lambda key: MasterKey(key.encrypt, key.mac_k, os.urandom(16)),
    ],
    ids=["mac_k", "mac_r"],
)
def test_another_key_opens_nothing(change: Callable[[MasterKey], MasterKey]) -> None:
    sealed = Sealer(KEY).seal(b"secret")

    with pytest.raises(IntegrityError):
        Sealer(change(KEY)).open(sealed)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_key_of_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(IntegrityError):
        MasterKey(bytes(32), bytes(16), bytes(size))


def test_a_key_does_not_show_in_its_representation() -> None:
    assert KEY.encrypt.hex() not in repr(KEY)
    assert repr(KEY.encrypt) not in repr(KEY)


def test_derived_secrets_differ_by_purpose_and_key() -> None:
    other = MasterKey.from_bytes(bytes(64))

    secrets = {KEY.derive(b"a", 8), KEY.derive(b"b", 8), other.derive(b"a", 8)}

    assert len(secrets) == 3
    # RFC 5869 with HMAC-SHA-256 over the key's first 32 bytes, calculated apart with hmac.
    assert KEY.derive(b"a", 8) == _hkdf(KEY.encrypt, b"a")[:8]


def _hkdf(secret: bytes, info: bytes) -> bytes:
    import hmac

    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")
