"""NTFS's journal, ``$LogFile``: only whether it holds changes that the volume does not.

Two restart pages stand at its head, 4 KiB apart: 0 "RSTR" (or "CHKD" by
chkdsk), 24 u16 place of the restart area; in that, 0 u64 sequence number,
12 u16 first client that is logged in (0xFFFF: none), 14 u16 flags (2: the
volume is clean). A journal without any entry is all 0xFF.
Source: the Linux NTFS project's documentation of ``$LogFile``.
"""

from __future__ import annotations

import struct

HEAD_BYTES = 8 << 10
_PAGE = 4 << 10
_NO_CLIENT = 0xFFFF
_VOLUME_IS_CLEAN = 0x2


def is_settled(head: bytes) -> bool:
    """Whether the journal, of which this is the head, holds nothing that must still be done."""
    if head.strip(b"\xff") == b"":
        return True
    restarts = [_restart(head[place : place + _PAGE]) for place in (0, _PAGE)]
    known = [restart for restart in restarts if restart is not None]
    newest = max((number for number, _ in known), default=None)
    return newest is not None and all(clean for number, clean in known if number == newest)


def _restart(page: bytes) -> tuple[int, bool] | None:
    """A restart page's sequence number, and whether it says clean; ``None`` for another page."""
    if page[:4] not in (b"RSTR", b"CHKD") or len(page) < _PAGE:
        return None
    (place,) = struct.unpack_from("<H", page, 24)
    if place > _PAGE - 16:
        return None
    number, client, flags = struct.unpack_from("<Q4xHH", page, place)
    clean = page[:4] == b"CHKD" or client == _NO_CLIENT or bool(flags & _VOLUME_IS_CLEAN)
    return number, clean
