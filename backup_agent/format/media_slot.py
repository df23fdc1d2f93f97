"""The settings slot of rescue media: 1 MiB in which a finished image can be made somebody's.

Layout: ``EVERSLOT``; version, u32 (1); length of the text, u32; its SHA-256,
32 bytes; the text, JSON in UTF-8; zeros to the end. Numbers are little
endian. Nothing in it is a secret, and Secure Boot does not cover it.
"""

from __future__ import annotations

import hashlib
import struct

import msgspec

from backup_agent.errors import IntegrityError, UsageError
from backup_agent.format.malformed import MALFORMED
from backup_agent.model.media import MediaSettings

SLOT_SIZE = 1 << 20

_MAGIC = b"EVERSLOT"
_VERSION = 1
_HEADER = struct.Struct("<8sII32s")


def encode_slot(settings: MediaSettings) -> bytes:
    """``SLOT_SIZE`` bytes. Raises :class:`UsageError` where the settings do not fit."""
    text = msgspec.json.encode(
        {
            "console": settings.console,
            "code": settings.code,
            "certificate": settings.certificate,
        }
    )
    header = _HEADER.pack(_MAGIC, _VERSION, len(text), hashlib.sha256(text).digest())
    if len(header) + len(text) > SLOT_SIZE:
        raise UsageError("The settings are too large for the medium.")
    return (header + text).ljust(SLOT_SIZE, b"\0")


def decode_slot(data: bytes) -> MediaSettings:
    """Raises :class:`IntegrityError` for what is no slot, or a damaged one."""
    if len(data) != SLOT_SIZE or not data.startswith(_MAGIC):
        raise IntegrityError("There is no settings slot of rescue media here.")
    _, version, length, digest = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise IntegrityError("The medium's settings were written by a newer version of Everboot.")
    text = data[_HEADER.size : _HEADER.size + length]
    if hashlib.sha256(text).digest() != digest:
        raise IntegrityError("The medium's settings are damaged.")
    try:
        record = msgspec.json.decode(text, type=dict[str, str])
        return MediaSettings(record["console"], record["code"], record["certificate"])
    except MALFORMED as exc:
        raise IntegrityError("The medium's settings cannot be understood.") from exc
