"""NTFS's folders without their contents: what they are, and one name in one by its index.

A folder of 100,000 names has an index of 27 MB and files' records of 100 MB; the way
down its tree is three blocks long. The library reads all of the index when it is told
of the folder.

A node, in ``$INDEX_ROOT`` 16 bytes in, in blocks of ``$INDEX_ALLOCATION`` 24: 0 u32
where its entries begin and 4 u32 end, counted from here. An entry: 0 u64 file
reference, 8 u16 length, 10 u16 length of its key, 12 u32 flags (1: the node before it
is named in its last 8 bytes; 2: the last one, without a key), 16 key: a ``$FILE_NAME``
with 64 u8 units of the name, 65 u8 its space, 66 the name.

Names are in the order of their UTF-16 units in capitals, as the volume's own table
``$UpCase`` has them.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.files.file_tree import Stream
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.filesystems.ntfs import with_fixups
from backup_agent.filesystems.used.ntfs_mft import Content, MasterFileTable, read_geometry
from backup_agent.filesystems.used.ntfs_record import DATA
from backup_agent.filesystems.used.volume_window import VolumeWindow

_INDEX_ROOT, _INDEX_ALLOCATION, _INDEX_BITMAP, _INDEX_NAME = 0x90, 0xA0, 0xB0, "$I30"
_STANDARD_INFORMATION = 0x10
_STANDARD = struct.Struct("<QQQQI")
_IS_FOLDER = 2
_NO_UNICODE = "\ufffd"
_UPCASE_RECORD = 10
_UPCASE_BYTES = 128 << 10
_ROOT_HEAD, _BLOCK_HEAD = 16, 24
_HAS_NODE, _IS_LAST = 1, 2
_ENTRY = struct.Struct("<QHHI")
_KEY = _ENTRY.size
_NAME_IN_KEY = 66
_SHORT_NAMES = 2
"""The space of ``PROGRA~1`` and the like, which no listing shows."""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder's own record. Times are NTFS's, ``flags`` those of its standard information."""

    sequence: int
    flags: int
    modified: int
    accessed: int
    record_changed: int
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class FolderNames:
    """What an index names: (reference, name) each, and how many of its blocks are damaged."""

    names: tuple[tuple[int, str], ...]
    damaged_blocks: int


_Entry: TypeAlias = tuple[int, bytes, int, int | None]
"""(reference, name, its space, the node with the names before its own). The last has no name.

Plain, for they are made by the hundred thousand.
"""


@dataclass(frozen=True, slots=True)
class _Index:
    """A folder's index. ``unit``: in which bytes its nodes are counted."""

    root: bytes
    blocks: Content | None
    block_size: int
    unit: int


class FolderIndexes:
    """The folders of one volume. Raises ``SpaceUnknownError`` for what makes no sense."""

    def __init__(self, volume: VolumeBytes) -> None:
        whole = VolumeWindow(volume, 0, volume.size)
        self._geometry = read_geometry(whole)
        self._mft = MasterFileTable(whole, self._geometry)

    def facts(self, number: int) -> FolderFacts | None:
        """What the record of that number says of its folder; ``None`` if it is no folder's."""
        record = self._mft.record(number)
        if record is None or record.base is not None:
            return None
        sequence, _, _, record_flags = struct.unpack_from("<4H", record.data, 16)
        if not record_flags & _IS_FOLDER:
            return None
        standard = self._mft.content(number, _STANDARD_INFORMATION, "")
        if standard is None or standard.value is None or len(standard.value) < _STANDARD.size:
            raise SpaceUnknownError("A folder's record contradicts itself.")
        _, modified, record_changed, accessed, flags = _STANDARD.unpack_from(standard.value)
        return FolderFacts(
            sequence, flags, modified, accessed, record_changed, tuple(self._streams(number))
        )

    def _streams(self, number: int) -> Iterator[Stream]:
        for part in self._mft.attributes(number, DATA):
            if _NO_UNICODE in part.name:
                raise SpaceUnknownError("A stream has a name that is no Unicode.")
            if part.name and not part.first_vcn:
                size = part.size if part.value is None else len(part.value)
                yield Stream(part.name.encode("utf-8", "surrogatepass"), size)

    def names(self, folder: int) -> FolderNames:
        """All of the folder with that record number that can be had, block by block.

        Not down the tree: a damaged block would hide those below it.
        """
        index = self._index(folder)
        names = list(_shown(_node(index.root, _ROOT_HEAD)))
        damaged = 0
        for number in self._blocks_in_use(folder, index):
            try:
                names += _shown(self._block(index, number))
            except SpaceUnknownError:
                damaged += 1
        return FolderNames(tuple(names), damaged)

    def _blocks_in_use(self, folder: int, index: _Index) -> Iterator[int]:
        """In the units that nodes are named in."""
        if index.blocks is None:
            return
        bitmap = self._mft.content(folder, _INDEX_BITMAP, _INDEX_NAME)
        if bitmap is None:
            raise SpaceUnknownError("A folder's index does not say which of its blocks count.")
        bits = bitmap.value
        if bits is None:
            bits = self._mft.read(bitmap.runs, 0, bitmap.size)
        for block in range(min(index.blocks.size // index.block_size, 8 * len(bits))):
            if bits[block >> 3] >> (block & 7) & 1:
                yield block * (index.block_size // index.unit)

    def find(self, folder: int, name: str) -> int | None:
        """The reference of what is called exactly so in the folder with that record number."""
        index = self._index(folder)
        wanted = name.encode("utf-16-le", "surrogatepass")
        return self._find(index, _node(index.root, _ROOT_HEAD), wanted, set())

    def _find(
        self, index: _Index, entries: Iterator[_Entry], name: bytes, seen: set[int]
    ) -> int | None:
        for reference, its_name, space, node in entries:
            if its_name == name and space != _SHORT_NAMES:
                return reference
            if node is None:
                continue
            order = self._compare(its_name, name) if its_name else 1
            if order < 0:
                continue
            # Names that differ only in case stand together, in an order of which only
            # those who wrote them know: on both sides of one there may be others.
            if node in seen:
                raise SpaceUnknownError("A folder's index runs in circles.")
            seen.add(node)
            found = self._find(index, self._block(index, node), name, seen)
            if found is not None or order > 0:
                return found
        return None

    def _index(self, folder: int) -> _Index:
        root = self._mft.content(folder, _INDEX_ROOT, _INDEX_NAME)
        if root is None or root.value is None or len(root.value) < 2 * _ROOT_HEAD:
            raise SpaceUnknownError("It has no index of names.")
        (block_size,) = struct.unpack_from("<I", root.value, 8)
        cluster_size = self._geometry.cluster_size
        if not 512 <= block_size <= 1 << 20:
            raise SpaceUnknownError("A folder's index contradicts itself.")
        return _Index(
            root.value,
            self._mft.content(folder, _INDEX_ALLOCATION, _INDEX_NAME),
            block_size,
            cluster_size if cluster_size <= block_size else 512,
        )

    def _block(self, index: _Index, number: int) -> Iterator[_Entry]:
        if index.blocks is None or number * index.unit + index.block_size > index.blocks.size:
            raise SpaceUnknownError("A folder's index leads nowhere.")
        raw = self._mft.read(index.blocks.runs, number * index.unit, index.block_size)
        block = with_fixups(raw, magic=b"INDX")
        if block is None:
            raise SpaceUnknownError("A block of a folder's index is damaged.")
        return _node(block, _BLOCK_HEAD)

    def _compare(self, one: bytes, other: bytes) -> int:
        """Below 0 if ``one`` comes first, 0 if they differ in case at most."""
        first, second = self._capitals(one), self._capitals(other)
        return (first > second) - (first < second)

    def _capitals(self, name: bytes) -> list[int]:
        return [self._upcase[unit] for unit in struct.unpack(f"<{len(name) // 2}H", name)]

    @cached_property
    def _upcase(self) -> array[int]:
        table = self._mft.content(_UPCASE_RECORD, DATA, "")
        if table is None or table.size != _UPCASE_BYTES:
            raise SpaceUnknownError("Its table of capital letters is damaged.")
        units = array("H", self._mft.read(table.runs, 0, _UPCASE_BYTES))
        if struct.pack("=H", 1) != struct.pack("<H", 1):
            units.byteswap()
        return units


def _shown(entries: Iterator[_Entry]) -> list[tuple[int, str]]:
    return [
        (reference, name.decode("utf-16-le", "surrogatepass"))
        for reference, name, space, _ in entries
        if name and space != _SHORT_NAMES
    ]


def _node(data: bytes, head: int) -> Iterator[_Entry]:
    first, size = struct.unpack_from("<II", data, head)
    place, end = head + first, min(head + size, len(data))
    while place + _ENTRY.size <= end:
        reference, length, key_length, flags = _ENTRY.unpack_from(data, place)
        if length < _KEY or place + length > len(data):
            break
        node = None
        if flags & _HAS_NODE:
            (node,) = struct.unpack_from("<Q", data, place + length - 8)
        if flags & _IS_LAST:
            yield 0, b"", 0, node
            return
        name, name_end = place + _KEY + _NAME_IN_KEY, place + min(_KEY + key_length, length)
        if name > name_end or name + 2 * data[name - 2] > name_end:
            break
        yield reference, data[name : name + 2 * data[name - 2]], data[name - 1], node
        place += length
    raise SpaceUnknownError("A folder's index contradicts itself.")
