"""What both kinds of zip say of a member: its times, its limits, what cannot be one."""

from __future__ import annotations

import calendar
import struct
import time

from backup_agent.model.node import NodeKind

LONGEST_NAME = 0xFFFF
MADE_ON_UNIX = 3
DOS_FOLDER = 0x10
_FIRST_DOS_SECOND = calendar.timegm((1980, 1, 1, 0, 0, 0))
_LAST_DOS_SECOND = calendar.timegm((2107, 12, 31, 23, 59, 58))

KIND_WORDS = {
    NodeKind.FILE: "file",
    NodeKind.FOLDER: "folder",
    NodeKind.SYMLINK: "symbolic link",
    NodeKind.BLOCK_DEVICE: "block device",
    NodeKind.CHARACTER_DEVICE: "character device",
    NodeKind.FIFO: "fifo",
    NodeKind.SOCKET: "socket",
    NodeKind.IRREGULAR: "thing of unknown kind",
}


def dos_time(seconds: int) -> tuple[int, int, int, int, int, int]:
    """The plain field, in UTC, for programs that know no better: 1980 to 2107."""
    clamped = min(max(seconds, _FIRST_DOS_SECOND), _LAST_DOS_SECOND)
    return time.gmtime(clamped)[:6]


def unix_time(seconds: int) -> bytes:
    """Info-ZIP's extended timestamp, ``UT``: seconds since 1970, UTC. Nothing beyond its 32 bits.

    With nothing but the mtime in it, the local and the central field are the same.
    """
    if not -(1 << 31) <= seconds < 1 << 31:
        return b""
    return struct.pack("<2sHBi", b"UT", 5, 1, seconds)
