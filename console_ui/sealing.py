"""Sealing what must not lie readable in the database: AES-256-GCM under the key file.

The only user of ciphers in the console. Layout of a sealed value::

    1 byte version (1) | 12 bytes nonce | ciphertext | 16 bytes tag

The *context* says what the value is and whose ("totp:<user id>"). It is bound into the
tag, so that nobody who can write to the database moves one row's secret into another.
Every purpose has a key of its own, derived with HKDF-SHA256 (RFC 5869).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from backup_agent.errors import IntegrityError
from console_ui.keyfile import MasterKey

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


def seal(plaintext: bytes, *, context: str) -> bytes:
    """What to store for ``plaintext``; 29 bytes longer, different each time."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + _cipher().encrypt(nonce, plaintext, context.encode())


def unseal(sealed: bytes, *, context: str) -> bytes:
    """The plaintext. Raises ``IntegrityError`` for another key, another context or damage."""
    nonce, rest = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _VERSION:
        raise _unfit()
    try:
        return _cipher().decrypt(nonce, rest, context.encode())
    except InvalidTag as exc:
        raise _unfit() from exc


def keyed_hash(value: str, *, context: str) -> str:
    """HMAC-SHA256, 64 hexadecimal digits: for what is too short to be hashed without a key.

    A database without the key file gives no chance to try out all short codes.
    """
    message = f"{context}\0{value}".encode()
    return hmac.new(settings.EVERBOOT_HASHING_KEY, message, hashlib.sha256).hexdigest()


def derive(master: MasterKey, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, which tells nothing about those of others."""
    return HKDF(SHA256(), length=_KEY_BYTES, salt=None, info=purpose.encode()).derive(master)


def _cipher() -> AESGCM:
    return AESGCM(settings.EVERBOOT_SEALING_KEY)


def _unfit() -> IntegrityError:
    return IntegrityError(
        "A sealed secret in the database does not fit the key file.",
        hint="Database and key file belong together: put both back from the same backup.",
    )
