"""Finding a file in an ISO 9660 image: just enough to patch one in place.

ECMA-119: sectors of 2048 bytes; the primary volume descriptor is sector 16
(type 1, ``CD001``) and holds the root's directory record at byte 156. A
directory record: its length (1 byte), then at 2 the first sector and at 10
the size, each little endian (and big endian again), flags at 25 (2: folder,
128: more extents follow), length of the name at 32 and the name from 33.
Records do not cross sectors. Rock Ridge keeps the names that people know in
"NM" fields behind (IEEE P1282): ``NM``, length, 1, flags, text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import IntegrityError
from backup_agent.model.disk import Extent

SECTOR = 2048
DESCRIPTOR = Extent(16 * SECTOR, SECTOR)
"""Where the primary volume descriptor is."""

_FOLDER = 2
_MORE_EXTENTS = 128
_ROOT_RECORD = slice(156, 190)
_NAME_START = 33


@dataclass(frozen=True, slots=True)
class IsoEntry:
    """A file or folder in a folder; ``extent`` within the image."""

    name: str
    extent: Extent
    is_folder: bool


def root_entry(descriptor: bytes) -> IsoEntry:
    """Raises :class:`IntegrityError` where no ISO 9660 image begins."""
    if len(descriptor) < SECTOR or descriptor[:6] != b"\x01CD001":
        raise IntegrityError("This is no ISO image.")
    return _entry(descriptor[_ROOT_RECORD])


def folder_entries(data: bytes) -> Iterator[IsoEntry]:
    """What is in the folder whose bytes are ``data``, without itself and its parent.

    Raises :class:`IntegrityError`.
    """
    place = 0
    while place < len(data):
        length = data[place]
        if length == 0:
            place = (place // SECTOR + 1) * SECTOR
            continue
        record = data[place : place + length]
        if len(record) < length or length <= _NAME_START:
            raise IntegrityError("A folder of the ISO image is damaged.")
        if record[_NAME_START] > 1 or record[32] != 1:
            yield _entry(record)
        place += length


def _entry(record: bytes) -> IsoEntry:
    if record[25] & _MORE_EXTENTS:
        raise IntegrityError("A file of the ISO image lies in several pieces.")
    start = int.from_bytes(record[2:6], "little") * SECTOR
    size = int.from_bytes(record[10:14], "little")
    return IsoEntry(_name(record), Extent(start, size), bool(record[25] & _FOLDER))


def _name(record: bytes) -> str:
    end = _NAME_START + record[32]
    plain = record[_NAME_START:end].split(b";")[0].rstrip(b".").decode("latin-1")
    place = end + (1 - record[32] % 2)
    while place + 4 <= len(record) and record[place + 2] >= 4:
        if record[place : place + 2] == b"NM":
            return record[place + 5 : place + record[place + 2]].decode("utf-8", "replace")
        place += record[place + 2]
    return plain
