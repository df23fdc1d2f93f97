r"""The mark in a target's first sector while it is being written, and never after.

By it the same restore, started again, knows its own work and goes on; anybody
else sees a disk without a partition table::

    0   "EVERBOOT RESTORING\n"
    32  SHA-256 of the plan
    64  zeros, to the sector's end
"""

from __future__ import annotations

_TITLE = b"EVERBOOT RESTORING\n".ljust(32, b"\0")
MARK_SIZE = 64


def encode_mark(fingerprint: bytes, sector_size: int) -> bytes:
    return (_TITLE + fingerprint).ljust(sector_size, b"\0")


def is_marked(sector: bytes, fingerprint: bytes) -> bool:
    """Whether what begins with these bytes is the unfinished work of the plan."""
    return sector[:MARK_SIZE] == _TITLE + fingerprint


def is_unfinished(sector: bytes) -> bool:
    """Whether some restore was interrupted here."""
    return sector.startswith(_TITLE)
