"""NTFS reparse points: what Windows would do with a thing instead of reading it.

Taken out of file records themselves, for the library that reads the rest does
not show them. The attribute (type 0xC0), little endian: u32 tag, u16 length of
what follows, u16 reserved, then what the tag's owner put there. Tags and their
data: Microsoft's [MS-FSCC] 2.1.2; WOF's data: ``wofapi.h`` in Windows' SDK.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.wof_file import WofAlgorithm
from backup_agent.filesystems.ntfs import with_fixups

_ATTRIBUTE_LIST = 0x20
_REPARSE_POINT = 0xC0
_END_OF_ATTRIBUTES = 0xFFFFFFFF
_RECORD_NUMBER = (1 << 48) - 1

MOUNT_POINT = 0xA0000003
SYMLINK = 0xA000000C
WOF = 0x80000017
LINUX_SYMLINK = 0xA000001D
LINUX_SOCKET = 0x80000023
LINUX_FIFO = 0x80000024
_NAME_SURROGATE = 0x20000000
_CLOUD = 0x9000001A
_CLOUD_MASK = 0xFFFF0FFF


@dataclass(frozen=True, slots=True)
class ReparsePoint:
    """``data`` is what follows the tag and lengths."""

    tag: int
    data: bytes

    @property
    def leads_elsewhere(self) -> bool:
        """Whether it stands for another thing, rather than for a file kept in another way."""
        return bool(self.tag & _NAME_SURROGATE)

    @property
    def is_cloud(self) -> bool:
        """OneDrive and its like; whether the content is here, the file's attributes say."""
        return self.tag & _CLOUD_MASK == _CLOUD

    @property
    def link_target(self) -> bytes:
        """Where a junction or a symbolic link leads, as Windows shows it; empty if damaged."""
        if self.tag == LINUX_SYMLINK:
            return self.data[4:]
        names_start = {MOUNT_POINT: 8, SYMLINK: 12}.get(self.tag)
        if names_start is None or len(self.data) < names_start:
            return b""
        real_start, real_size, shown_start, shown_size = struct.unpack_from("<HHHH", self.data)
        names = self.data[names_start:]
        shown = names[shown_start : shown_start + shown_size]
        real = names[real_start : real_start + real_size]
        text = (shown or real).decode("utf-16-le", "surrogatepass")
        return text.removeprefix("\\??\\").encode("utf-8", "surrogatepass")

    @property
    def algorithm(self) -> WofAlgorithm:
        """How a WOF file is compressed. Raises ``UnreadableError`` for unknown ways.

        Four u32: version 1 and provider 2 (single file), then version 1 and the algorithm.
        """
        fields = struct.unpack_from("<IIII", self.data) if len(self.data) >= 16 else ()
        try:
            if fields[:3] == (1, 2, 1):
                return WofAlgorithm(fields[3])
        except ValueError:
            pass
        raise UnreadableError("Windows compressed it in a way that is not known here.")


def find_reparse_point(number: int, read_record: Callable[[int], bytes]) -> ReparsePoint | None:
    """The reparse point of the file with that record; ``None`` where there is none.

    Raises ``UnreadableError`` for a damaged one.
    """
    record = _fixed(read_record(number))
    elsewhere: list[int] = []
    for kind, attribute in _attributes(record):
        if kind == _REPARSE_POINT:
            return _parse(_value(attribute))
        if kind == _ATTRIBUTE_LIST:
            elsewhere = list(_listed(_value(attribute), _REPARSE_POINT))
    for other in elsewhere:
        if other != number:
            for kind, attribute in _attributes(_fixed(read_record(other))):
                if kind == _REPARSE_POINT:
                    return _parse(_value(attribute))
    return None


def _fixed(record: bytes) -> bytes:
    fixed = with_fixups(record)
    if fixed is None:
        raise UnreadableError("Its file record is damaged.")
    return fixed


def _attributes(record: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, header and value) of each attribute in a record."""
    (place,) = struct.unpack_from("<H", record, 20)
    while place + 8 <= len(record):
        kind, length = struct.unpack_from("<II", record, place)
        if kind == _END_OF_ATTRIBUTES:
            return
        if length < 24 or place + length > len(record):
            raise UnreadableError("Its file record is damaged.")
        yield kind, record[place : place + length]
        place += length


def _value(attribute: bytes) -> bytes:
    """What a resident attribute holds."""
    if attribute[8]:
        # Reparse points and lists of attributes are small; Windows moves them out of the
        # record only when a file has hundreds of names or fragments as well.
        raise UnreadableError("Where its reparse point lies cannot be told.")
    size, offset = struct.unpack_from("<IH", attribute, 16)
    if offset + size > len(attribute):
        raise UnreadableError("Its file record is damaged.")
    return attribute[offset : offset + size]


def _listed(entries: bytes, wanted: int) -> Iterator[int]:
    """Records that a list of attributes names for one type: u32 type, u16 length, 16 u64 record."""
    place = 0
    while place + 26 <= len(entries):
        kind, length = struct.unpack_from("<IH", entries, place)
        (reference,) = struct.unpack_from("<Q", entries, place + 16)
        if kind == wanted:
            yield reference & _RECORD_NUMBER
        if length < 26:
            return
        place += length


def _parse(value: bytes) -> ReparsePoint:
    if len(value) < 8:
        raise UnreadableError("Its reparse point is damaged.")
    tag, size = struct.unpack_from("<IH", value)
    return ReparsePoint(tag, value[8 : 8 + size])
