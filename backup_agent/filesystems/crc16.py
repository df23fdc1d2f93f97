"""CRC-16 as ext guards its groups' descriptors with where it has no better sums.

The polynomial 0x8005 with its bits reversed, which catalogues call CRC-16/ARC (from 0) or
CRC-16/MODBUS (from 0xFFFF); a table step takes a byte.
"""

from __future__ import annotations

_POLYNOMIAL = 0xA001


def _table() -> tuple[int, ...]:
    entries = []
    for register in range(256):
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
        entries.append(register)
    return tuple(entries)


_TABLE = _table()


def crc16(register: int, data: bytes) -> int:
    """The register after ``data``; it begins with 0xFFFF here, and goes on with what came out."""
    for byte in data:
        register = _TABLE[(register ^ byte) & 0xFF] ^ register >> 8
    return register
