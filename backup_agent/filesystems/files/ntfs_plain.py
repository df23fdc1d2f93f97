"""NTFS's ordinary files and folders, told from their records alone.

Nearly every file has one record with its times and its content's size in it. In a folder
of 100,000 that is worth knowing: the library takes three times as long for a record.
Whatever is out of the ordinary (reparse points, encryption, files for the system, named
streams, more than one record, damage) is left to it.

A record, after its fixups: 16 u16 sequence, 18 u16 links, 20 u16 first attribute, 22 u16
flags (1 in use, 2 folder), 32 u64 record that it belongs to. An attribute: 0 u32 type, 4 u32
length, 8 u8 1 if its value lies elsewhere, 9 u8 length of its name; then 16 u32 size and 20
u16 offset of the value, or 16 u64 first cluster and 48 u64 size.
"""

from __future__ import annotations

import struct

import msgspec

_HEAD = struct.Struct("<HHHH8xQ")
_HEAD_PLACE = 16
_ATTRIBUTE = struct.Struct("<IIBB6xIH")
_ELSEWHERE = struct.Struct("<Q24xQ")
_STANDARD = struct.Struct("<8xQQQI")
_STANDARD_SIZE = 36
_IN_USE, _FOLDER = 1, 2
_STANDARD_INFORMATION, _DATA, _INDEX_ROOT, _END = 0x10, 0x80, 0x90, 0xFFFFFFFF
_HARMLESS = frozenset({0x30, 0x40, 0x50, 0xA0, 0xB0, 0x100})
"""Names, object id, rights, the rest of a folder's index, and what logs leave."""
SYSTEM = 0x4
"""A flag of files for the system alone; some of them are links."""
_REPARSE, _ENCRYPTED = 0x400, 0x4000


# A msgspec.Struct: a named tuple takes four times as long to make.
class PlainRecord(msgspec.Struct, frozen=True, gc=False):
    """Times are NTFS's, ``size`` is bytes of content, ``flags`` those of the standard
    information.
    """

    is_folder: bool
    flags: int
    size: int
    modified: int
    record_changed: int
    accessed: int
    links: int


def plain_record(record: bytes, sequence: int) -> PlainRecord | None:
    """What a whole record says; ``None`` if it is not plain, or not that often used."""
    own_sequence, links, place, record_flags, base = _HEAD.unpack_from(record, _HEAD_PLACE)
    if own_sequence != sequence or base or record_flags & ~_FOLDER != _IN_USE:
        return None
    is_folder = bool(record_flags & _FOLDER)
    times: tuple[int, int, int, int] | None = None
    size = 0
    has_index = False
    last = len(record) - _ATTRIBUTE.size
    while place <= last:
        kind, length, elsewhere, name, first, offset = _ATTRIBUTE.unpack_from(record, place)
        if kind == _END:
            break
        if length < _ATTRIBUTE.size or place + length > len(record):
            return None
        if kind in _HARMLESS:
            pass
        elif kind == _STANDARD_INFORMATION:
            if elsewhere or offset + _STANDARD_SIZE > length:
                return None
            times = _STANDARD.unpack_from(record, place + offset)
        elif kind == _DATA:
            if name or is_folder:
                return None
            size = first
            if elsewhere:
                if length < _HEAD_PLACE + _ELSEWHERE.size:
                    return None
                first_cluster, size = _ELSEWHERE.unpack_from(record, place + _HEAD_PLACE)
                if first_cluster:
                    return None
        elif kind == _INDEX_ROOT:
            has_index = True
        else:
            return None
        place += length
    else:
        return None
    if times is None or has_index != is_folder or times[3] & (SYSTEM | _REPARSE | _ENCRYPTED):
        return None
    modified, record_changed, accessed, flags = times
    return PlainRecord(is_folder, flags, size, modified, record_changed, accessed, links)
