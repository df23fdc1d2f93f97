"""Signatures that prove who a device is: Ed25519 (RFC 8032)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NewType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

PublicKey = NewType("PublicKey", bytes)
"""The 32 bytes of RFC 8032."""

PUBLIC_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``secret``: the 32 bytes that RFC 8032 calls the private key."""

    secret: bytes = field(repr=False)

    @property
    def public_key(self) -> PublicKey:
        return PublicKey(self._key().public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key().sign(message)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def new_signing_key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate().private_bytes_raw())


def is_signed(message: bytes, signature: bytes, by: PublicKey) -> bool:
    """Whether the owner of that key has signed exactly this message."""
    try:
        Ed25519PublicKey.from_public_bytes(by).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(key: PublicKey) -> str:
    """SHA-256 of the key, 64 hexadecimal digits."""
    return hashlib.sha256(key).hexdigest()
