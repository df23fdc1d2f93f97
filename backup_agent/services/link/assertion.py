"""How a device proves to a console that it holds its key: a signed statement, good for a minute.

It is a JSON Web Token as RFC 7523 has it for ``private_key_jwt``, signed with Ed25519 (RFC 8037)::

    base64url({"alg":"EdDSA","typ":"JWT"}) . base64url(claims) . base64url(signature)

    iss, sub    the client id: SHA-256 of the public key, in hexadecimal
    aud         the console's address, so that no other console can make use of it
    iat, exp    seconds since 1970
    jti         128 random bits; a console accepts each once

Both sides use this file: the device makes them, the console looks whether they hold.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

import msgspec

from backup_agent.crypto.signature import (
    PUBLIC_KEY_BYTES,
    PublicKey,
    SigningKey,
    fingerprint,
    is_signed,
)
from backup_agent.errors import LinkError

__all__ = [
    "ASSERTION_TYPE",
    "Claims",
    "PublicKey",
    "decode_public_key",
    "encode_public_key",
    "fingerprint",
    "make",
    "open_assertion",
    "short_fingerprint",
]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

LIFE_SECONDS = 60
_JTI_BYTES = 16
_LONGEST = 2048


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str = "JWT"


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a device has signed; times in seconds since 1970."""

    client_id: str
    audience: str
    issued_at: int
    expires_at: int
    id: str


def make(key: SigningKey, *, audience: str, now: float) -> str:
    """A fresh statement for the console at ``audience``."""
    client_id = fingerprint(key.public_key)
    claims = _Claims(
        iss=client_id,
        sub=client_id,
        aud=audience,
        iat=int(now),
        exp=int(now) + LIFE_SECONDS,
        jti=_encode(secrets.token_bytes(_JTI_BYTES)),
    )
    parts = (msgspec.json.encode(_Header(alg="EdDSA")), msgspec.json.encode(claims))
    signed = ".".join(_encode(part) for part in parts)
    return f"{signed}.{_encode(key.sign(signed.encode()))}"


def open_assertion(assertion: str, key: PublicKey) -> Claims:
    """What the owner of ``key`` states. Raises ``LinkError`` where the signature does not hold.

    Whether audience, times and id are acceptable is for the console to judge.
    """
    signed, _, signature = assertion.rpartition(".")
    header_part, _, claims_part = signed.partition(".")
    if len(assertion) > _LONGEST or not is_signed(signed.encode(), _decode(signature), key):
        raise _unfit()
    try:
        header = msgspec.json.decode(_decode(header_part), type=_Header)
        claims = msgspec.json.decode(_decode(claims_part), type=_Claims)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise _unfit() from exc
    if header.alg != "EdDSA" or not claims.iss == claims.sub == fingerprint(key):
        raise _unfit()
    return Claims(claims.sub, claims.aud, claims.iat, claims.exp, claims.jti)


def encode_public_key(key: PublicKey) -> str:
    """base64url without padding, as in a JSON Web Key (RFC 8037, ``x``)."""
    return _encode(key)


def decode_public_key(text: str) -> PublicKey:
    """Raises ``LinkError`` for what is no Ed25519 key."""
    key = _decode(text)
    if len(key) != PUBLIC_KEY_BYTES:
        raise _unfit()
    return PublicKey(key)


def short_fingerprint(client_id: str) -> str:
    """``7F3A 91C2 0E5D B864``: what people compare on two screens."""
    digits = client_id[:16].upper()
    return " ".join(digits[start : start + 4] for start in range(0, 16, 4))


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise _unfit() from exc


def _unfit() -> LinkError:
    return LinkError(
        "A device's proof does not hold.", hint="Link the device again: everboot link."
    )
