"""Key files: the master key, sealed under a key that scrypt makes from a password.

Plain JSON, named by its own SHA-256::

    {"created", "username", "hostname", "kdf": "scrypt", "N", "r", "p",
     "salt": base64 of 64 bytes, "data": base64 of sealed {"mac": {"k", "r"}, "encrypt"}}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from backup_agent.crypto.cipher import MasterKey, Sealer
from backup_agent.crypto.password import ScryptParameters, derive_key
from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.timestamp import decode_datetime, encode_datetime


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One password's way into a repository. ``data`` is the sealed master key."""

    username: str
    hostname: str
    created: datetime
    parameters: ScryptParameters
    salt: bytes
    data: bytes


class _Mac(msgspec.Struct):
    k: bytes
    r: bytes


class _Master(msgspec.Struct):
    mac: _Mac
    encrypt: bytes


class _Json(msgspec.Struct):
    created: str
    username: str
    hostname: str
    kdf: str
    N: int
    r: int
    p: int
    salt: bytes
    data: bytes


def make_key_file(
    master: MasterKey,
    password: str,
    *,
    salt: bytes,
    parameters: ScryptParameters,
    username: str,
    hostname: str,
    created: datetime,
) -> KeyFile:
    """Seal the master key under the password. ``salt``: 64 random bytes."""
    json = msgspec.json.encode(_Master(_Mac(master.mac_k, master.mac_r), master.encrypt))
    data = Sealer(derive_key(password, salt, parameters)).seal(json)
    return KeyFile(username, hostname, created, parameters, salt, data)


def open_key_file(file: KeyFile, password: str) -> MasterKey | None:
    """The master key, or ``None`` where the password is not this file's."""
    sealer = Sealer(derive_key(password, file.salt, file.parameters))
    try:
        json = sealer.open(file.data)
    except IntegrityError:
        return None
    try:
        master = msgspec.json.decode(json, type=_Master)
    except MALFORMED as exc:
        raise IntegrityError(f"The master key in a key file is damaged: {exc}") from exc
    return MasterKey(master.encrypt, master.mac.k, master.mac.r)


def encode_key_file(file: KeyFile) -> bytes:
    p = file.parameters
    return msgspec.json.encode(
        _Json(
            created=encode_datetime(file.created),
            username=file.username,
            hostname=file.hostname,
            kdf="scrypt",
            N=p.n,
            r=p.r,
            p=p.p,
            salt=file.salt,
            data=file.data,
        )
    )


def decode_key_file(data: bytes) -> KeyFile:
    """Raises ``IntegrityError`` for what is no key file."""
    try:
        json = msgspec.json.decode(data, type=_Json)
    except MALFORMED as exc:
        raise IntegrityError(f"A key file is damaged: {exc}") from exc
    if json.kdf != "scrypt":
        raise IntegrityError(f"A key file uses {json.kdf!r}, which is not known.")
    return KeyFile(
        username=json.username,
        hostname=json.hostname,
        created=decode_datetime(json.created),
        parameters=ScryptParameters(json.N, json.r, json.p),
        salt=json.salt,
        data=json.data,
    )
