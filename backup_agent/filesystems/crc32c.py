"""CRC-32C (Castagnoli), as ext4 guards its records with: the bare register, never inverted.

The polynomial 0x1EDC6F41 with its bits reversed (RFC 3720, appendix B.4); a table step
takes a byte.
"""

from __future__ import annotations

from functools import lru_cache

_POLYNOMIAL = 0x82F63B78


def _table() -> tuple[int, ...]:
    entries = []
    for register in range(256):
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
        entries.append(register)
    return tuple(entries)


_TABLE = _table()


# Bitmaps of full groups are all alike, and most groups of a full volume are full.
@lru_cache(maxsize=64)
def crc32c(register: int, data: bytes) -> int:
    """The register after ``data``; it begins with 0xFFFFFFFF, and goes on with what came out."""
    table = _TABLE
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ register >> 8
    return register
