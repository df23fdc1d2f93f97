"""Sealing and opening, as the restic design document ("Keys, Encryption and MAC") has it.

Layout of anything sealed::

    IV (16) || AES-256-CTR ciphertext || MAC (16)

MAC = Poly1305 over the ciphertext with the one-time key ``r || AES-128_k(IV)``:
D. J. Bernstein, "The Poly1305-AES message-authentication code", 2005.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.poly1305 import Poly1305

from backup_agent.errors import IntegrityError

Buffer: TypeAlias = bytes | bytearray | memoryview

IV_SIZE = 16
MAC_SIZE = 16
OVERHEAD = IV_SIZE + MAC_SIZE
"""How many bytes longer the sealed form is than the plain one."""

SEAL_ROOM = 15
"""Bytes behind the ciphertext that ``update_into`` wants free (one block less one)."""

_R_MASK = int.from_bytes(bytes.fromhex("ffffff0ffcffff0ffcffff0ffcffff0f"), "big")


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """What a repository is sealed with: 32 bytes for AES-256, 16 each for the MAC's AES and r."""

    encrypt: bytes
    mac_k: bytes
    mac_r: bytes

    def __post_init__(self) -> None:
        if (len(self.encrypt), len(self.mac_k), len(self.mac_r)) != (32, 16, 16):
            raise IntegrityError("A key has the wrong length.")

    @classmethod
    def from_bytes(cls, data: bytes) -> MasterKey:
        """Split 64 bytes as scrypt makes them: encryption 32, k 16, r 16."""
        return cls(data[:32], data[32:48], data[48:64])

    @classmethod
    def generate(cls) -> MasterKey:
        return cls.from_bytes(os.urandom(64))

    def derive(self, purpose: bytes, length: int) -> bytes:
        """A secret of ``length`` bytes for another purpose, by HKDF-SHA-256 (RFC 5869)."""
        return HKDF(hashes.SHA256(), length, salt=None, info=purpose).derive(self.encrypt)


class Sealer:
    """Seals and opens under one master key. Keeps cipher contexts: one object per thread."""

    def __init__(self, key: MasterKey) -> None:
        self._ctr = Cipher(algorithms.AES(key.encrypt), modes.CTR(bytes(IV_SIZE))).encryptor()
        # One block at a time under a key used for nothing else is what Poly1305-AES asks for.
        self._ecb = Cipher(algorithms.AES(key.mac_k), modes.ECB()).encryptor()  # noqa: S305
        self._r = (int.from_bytes(key.mac_r, "big") & _R_MASK).to_bytes(16, "big")

    def seal(self, plain: Buffer) -> bytes:
        out = bytearray(len(plain) + OVERHEAD + SEAL_ROOM)
        end = self.seal_into(plain, memoryview(out))
        return bytes(memoryview(out)[:end])

    def seal_into(self, plain: Buffer, out: memoryview) -> int:
        """Write the sealed form to the start of ``out``; returns its length.

        ``out`` needs ``len(plain) + OVERHEAD + SEAL_ROOM`` bytes.
        """
        iv = os.urandom(IV_SIZE)
        size = len(plain)
        out[:IV_SIZE] = iv
        self._ctr.reset_nonce(iv)
        self._ctr.update_into(plain, out[IV_SIZE : IV_SIZE + size + SEAL_ROOM])
        end = IV_SIZE + size
        out[end : end + MAC_SIZE] = Poly1305.generate_tag(self._mac_key(iv), out[IV_SIZE:end])
        return end + MAC_SIZE

    def open(self, sealed: Buffer) -> bytes:
        """The plain bytes. Raises ``IntegrityError`` for anything altered or cut short."""
        if len(sealed) < OVERHEAD:
            raise IntegrityError(f"Sealed data of {len(sealed)} bytes is too short to be whole.")
        view = memoryview(sealed)
        iv = bytes(view[:IV_SIZE])
        ciphertext = view[IV_SIZE:-MAC_SIZE]
        try:
            Poly1305.verify_tag(self._mac_key(iv), ciphertext, bytes(view[-MAC_SIZE:]))
        except InvalidSignature:
            raise IntegrityError("The data was altered or sealed under another key.") from None
        self._ctr.reset_nonce(iv)
        return self._ctr.update(ciphertext)

    def _mac_key(self, iv: bytes) -> bytes:
        return self._r + self._ecb.update(iv)
