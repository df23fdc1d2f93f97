"""The bytes of a zip whose members are stored, so that each one's place is known beforehand.

=====================  ============================================================
local header           30 bytes, the name, the time (``UT``), and for a member of
                       4 GiB or more the ZIP64 field
content                as it is, ``size`` bytes
data descriptor        16 or (ZIP64) 24 bytes: the CRC; only where the local header
                       did not have it
central directory      for each member 46 bytes, the name, the time, ZIP64 as needed
end                    22 bytes; before them 76 where ZIP64 is needed
=====================  ============================================================

The CRC of a member's content is known when the content has gone by, which changes no length. A
program that reads from the front and not by the central directory cannot know where such a
member ends (bit 3 of the flags, method 0); the common ones go by the directory.

Format: PKWARE's APPNOTE 6.3 (4.3.7 to 4.3.16, 4.5.3).
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass

from backup_agent.targets.zip_fields import DOS_FOLDER, MADE_ON_UNIX, dos_time, unix_time

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s2B5H3I5H2I")
_DESCRIPTOR = struct.Struct("<4s3I")
_DESCRIPTOR_64 = struct.Struct("<4sI2Q")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")
_LOCAL_64 = struct.pack("<2H2Q", 1, 16, 0, 0)

_STORED = 0
_UTF8_NAME = 0x0800
_CRC_FOLLOWS = 0x0008
_PLAIN, _ZIP64 = 20, 45
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A member. ``name`` is UTF-8, a folder's with a slash at its end; ``mode`` as Unix has it.

    ``crc`` is None where it follows the content.
    """

    name: bytes
    mode: int
    mtime_seconds: int
    size: int
    crc: int | None

    @property
    def is_large(self) -> bool:
        return self.size >= _FULL_32

    @property
    def header_length(self) -> int:
        extra = len(unix_time(self.mtime_seconds)) + (len(_LOCAL_64) if self.is_large else 0)
        return _LOCAL.size + len(self.name) + extra

    @property
    def descriptor_length(self) -> int:
        if self.crc is not None:
            return 0
        return _DESCRIPTOR_64.size if self.is_large else _DESCRIPTOR.size

    @property
    def flags(self) -> int:
        """The general purpose bits."""
        return _UTF8_NAME | (_CRC_FOLLOWS if self.crc is None else 0)

    @property
    def dos_time_and_date(self) -> tuple[int, int]:
        """The two plain fields, in UTC."""
        year, month, day, hour, minute, second = dos_time(self.mtime_seconds)
        return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def local_header(entry: Entry) -> bytes:
    """What stands before the content; ``entry.header_length`` bytes."""
    extra = unix_time(entry.mtime_seconds)
    size = 0 if entry.crc is None else entry.size
    if entry.is_large:
        extra, size = _LOCAL_64 + extra, _FULL_32
    head = _LOCAL.pack(
        b"PK\3\4",
        _ZIP64 if entry.is_large else _PLAIN,
        entry.flags,
        _STORED,
        *entry.dos_time_and_date,
        entry.crc or 0,
        size,
        size,
        len(entry.name),
        len(extra),
    )
    return head + entry.name + extra


def descriptor(entry: Entry, crc: int) -> bytes:
    """What stands behind the content; ``entry.descriptor_length`` bytes."""
    if entry.crc is not None:
        return b""
    kind = _DESCRIPTOR_64 if entry.is_large else _DESCRIPTOR
    return kind.pack(b"PK\7\x08", crc, entry.size, entry.size)


def central_record(entry: Entry, crc: int, offset: int) -> bytes:
    """A member's line in the central directory. ``offset``: where its local header begins."""
    large = struct.pack("<2Q", entry.size, entry.size) if entry.is_large else b""
    if offset >= _FULL_32:
        large += struct.pack("<Q", offset)
    extra = struct.pack("<2H", 1, len(large)) + large if large else b""
    extra += unix_time(entry.mtime_seconds)
    size = min(entry.size, _FULL_32)
    attributes = entry.mode << 16 | (DOS_FOLDER if stat.S_ISDIR(entry.mode) else 0)
    version = _ZIP64 if large else _PLAIN
    head = _CENTRAL.pack(
        b"PK\1\2",
        version,
        MADE_ON_UNIX,
        version,
        entry.flags,
        _STORED,
        *entry.dos_time_and_date,
        crc,
        size,
        size,
        len(entry.name),
        len(extra),
        0,
        0,
        0,
        attributes,
        min(offset, _FULL_32),
    )
    return head + entry.name + extra


def end_records(*, count: int, offset: int, size: int) -> bytes:
    """The end of a zip of ``count`` members whose directory of ``size`` bytes is at ``offset``."""
    large = b""
    if count >= _FULL_16 or offset >= _FULL_32 or size >= _FULL_32:
        large = _END_64.pack(
            b"PK\6\6",
            _END_64.size - 12,
            MADE_ON_UNIX << 8 | _ZIP64,
            _ZIP64,
            0,
            0,
            count,
            count,
            size,
            offset,
        ) + _LOCATOR_64.pack(b"PK\6\7", 0, offset + size, 1)
    few = min(count, _FULL_16)
    return large + _END.pack(
        b"PK\5\6", 0, 0, few, few, min(size, _FULL_32), min(offset, _FULL_32), 0
    )
