"""The files of an exFAT volume (Microsoft's exFAT specification).

An item of a folder is a set of entries of 32 bytes, little endian:

* 0x85: 1 u8 how many follow, 2 u16 checksum of the set, 4 u16 attributes, 8, 12, 16
  u32 times of creation, writing, access, 20, 21 u8 hundredths of the first two,
  22, 23, 24 u8 their clocks' distance from UTC;
* 0xC0: 1 u8 flags (2: in one piece, without a chain), 3 u8 units of the name,
  8 u64 bytes that were written, 20 u32 first cluster, 24 u64 size;
* 0xC1: 15 UTF-16 units of the name, as often as needed.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.allocation_table import AllocationTable, ClusterLayout
from backup_agent.filesystems.files.dos_time import nanoseconds
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.filesystems.files.runs import Run, Runs
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import Extent
from backup_agent.model.node import Node, NodeKind, go_mode

_ENTRY_SIZE = 32
_FILE, _STREAM, _NAME = 0x85, 0xC0, 0xC1
_READ_ONLY, _FOLDER = 0x01, 0x10
_IN_ONE_PIECE = 0x02
_NAME_UNITS = 15
_LARGEST_FOLDER = 256 << 20
_MOST_OPEN = 64
_ROOT = Reference(0)


@dataclass(frozen=True, slots=True)
class _EntrySet:
    """A set whose checksum is right."""

    head: bytes
    stream: bytes
    name: bytes

    @property
    def is_folder(self) -> bool:
        return bool(self.head[4] & _FOLDER)

    @property
    def in_one_piece(self) -> bool:
        return bool(self.stream[1] & _IN_ONE_PIECE)

    @property
    def written(self) -> int:
        return int.from_bytes(self.stream[8:16], "little")

    @property
    def first_cluster(self) -> int:
        return int.from_bytes(self.stream[20:24], "little")

    @property
    def size(self) -> int:
        return int.from_bytes(self.stream[24:32], "little")


class ExfatTree:
    """References are the places of the first entries of sets, from the volume's start."""

    root = _ROOT

    def __init__(self, volume: VolumeBytes, *, owner: tuple[int, int]) -> None:
        """``owner``: (uid, gid) of all files. Raises ``UnreadableError``."""
        self._volume = volume
        self._owner = owner
        boot = volume.exactly(0, 512)
        table, _, heap, clusters, self._root_cluster = struct.unpack_from("<IIIII", boot, 80)
        sector_shift, cluster_shift = boot[108], boot[109]
        if not 9 <= sector_shift <= 12 or sector_shift + cluster_shift > 25:
            raise UnreadableError("Its boot sector is damaged.")
        # Nothing behind the volume's end is a cluster, whatever the boot sector says.
        room = max(volume.size - (heap << sector_shift), 0) >> (sector_shift + cluster_shift)
        self._layout = ClusterLayout(
            table_start=table << sector_shift,
            entry_bits=32,
            clusters_start=heap << sector_shift,
            cluster_size=1 << sector_shift + cluster_shift,
            clusters=min(clusters, room),
        )
        self._table = AllocationTable(volume, self._layout)
        self._open: OrderedDict[Reference, tuple[Runs, _EntrySet]] = OrderedDict()

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        return list(self._items(self._folder_runs(folder)))

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        items = self._items(self._folder_runs(folder))
        return next((item for item in items if item.node.name == name), None)

    def _folder_runs(self, folder: Reference) -> Runs:
        if folder == _ROOT:
            runs = Runs(self._table.chain(self._root_cluster))
        else:
            entries = self._entry_set(folder)
            if not entries.is_folder:
                raise UnreadableError("It is no folder.")
            runs = Runs(self._clusters(entries))
        if runs.size > _LARGEST_FOLDER:
            raise UnreadableError("It is larger than any folder can be.")
        return runs

    def item(self, reference: Reference) -> TreeItem:
        if reference == _ROOT:
            kind, mode = go_mode(0o40755)
            uid, gid = self._owner
            node = Node(name=b"", kind=kind, mode=mode, uid=uid, gid=gid, links=1)
            return TreeItem(reference=_ROOT, node=node)
        return self._described(reference, self._entry_set(reference))

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        if stream is not None:
            raise UnreadableError("exFAT knows no streams.")
        runs, entries = self._opened(file)
        end = max(min(offset + size, entries.size), offset)
        # What was given room and never written reads as zeros.
        written = max(min(end, entries.written), offset)
        return runs.read_at(self._volume, offset, written - offset) + bytes(end - written)

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        return () if stream is not None else self._opened(file)[0].extents()

    def _opened(self, file: Reference) -> tuple[Runs, _EntrySet]:
        opened = self._open.get(file)
        if opened is None:
            entries = self._entry_set(file)
            if entries.is_folder:
                raise UnreadableError("It is no file.")
            if entries.size > self._layout.clusters * self._layout.cluster_size:
                raise UnreadableError("It is larger than the volume.")
            opened = self._open[file] = Runs(self._clusters(entries)), entries
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def _clusters(self, entries: _EntrySet) -> Iterator[Run]:
        if not entries.size:
            return iter(())
        if entries.in_one_piece:
            return self._table.contiguous(entries.first_cluster, entries.size)
        return self._table.chain(entries.first_cluster)

    def _items(self, runs: Runs) -> Iterator[TreeItem]:
        data = runs.read_at(self._volume, 0, runs.size)
        skip = 0
        for place in range(0, len(data), _ENTRY_SIZE):
            kind = data[place]
            if not kind:
                return
            if skip:
                skip -= 1
            elif kind == _FILE:
                reference = Reference(runs.place_of(place))
                count = data[place + 1]
                entries = _parse(data[place : place + (count + 1) * _ENTRY_SIZE])
                if entries is None:
                    yield _damaged(reference)
                else:
                    skip = count
                    yield self._described(reference, entries)

    def _entry_set(self, reference: Reference) -> _EntrySet:
        """The set that begins there; it may go on in the folder's next cluster.

        Which one that is, a folder in one piece does not tell the table: the set's
        checksum decides.
        """
        first = self._volume.exactly(reference, _ENTRY_SIZE)
        size = (first[1] + 1) * _ENTRY_SIZE
        cluster_size = self._layout.cluster_size
        cluster, within = divmod(reference - self._layout.clusters_start, cluster_size)
        here = min(size, cluster_size - within)
        if first[0] == _FILE and cluster >= 0:
            data = self._volume.exactly(reference, here)
            following = [cluster + 3, self._table.next(cluster + 2)] if here < size else [0]
            for other in following:
                rest = b""
                if here < size:
                    if not 2 <= other < 2 + self._layout.clusters:
                        continue
                    rest = self._volume.exactly(self._layout.place(other), size - here)
                if (entries := _parse(data + rest)) is not None:
                    return entries
        raise UnreadableError("Its directory entry is damaged.")

    def _described(self, reference: Reference, entries: _EntrySet) -> TreeItem:
        head = entries.head
        created, written, accessed = struct.unpack_from("<III", head, 8)
        uid, gid = self._owner
        kind, mode = go_mode(
            0o40755 if entries.is_folder else 0o100444 if head[4] & _READ_ONLY else 0o100644
        )
        node = Node(
            name=entries.name,
            kind=kind,
            mode=mode,
            mtime_ns=_time(written, head[21], head[23]),
            atime_ns=_time(accessed, 0, head[24]),
            ctime_ns=_time(created, head[20], head[22]),
            uid=uid,
            gid=gid,
            inode=entries.first_cluster if entries.is_folder else 0,
            size=0 if entries.is_folder else entries.size,
            links=1,
        )
        return TreeItem(reference=reference, node=node)


def _parse(data: bytes) -> _EntrySet | None:
    """``None`` for a set that is cut short or whose checksum is wrong."""
    if len(data) < 3 * _ENTRY_SIZE or data[0] != _FILE or data[_ENTRY_SIZE] != _STREAM:
        return None
    if len(data) != (data[1] + 1) * _ENTRY_SIZE or _checksum(data) != data[2] | data[3] << 8:
        return None
    stream = data[_ENTRY_SIZE : 2 * _ENTRY_SIZE]
    units = b"".join(
        data[place + 2 : place + _ENTRY_SIZE]
        for place in range(2 * _ENTRY_SIZE, len(data), _ENTRY_SIZE)
        if data[place] == _NAME
    )[: 2 * stream[3]]
    name = units.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
    return _EntrySet(data[:_ENTRY_SIZE], stream, name)


def _checksum(data: bytes) -> int:
    total = 0
    for byte in data[:2] + data[4:]:
        total = ((total & 1) << 15) + (total >> 1) + byte & 0xFFFF
    return total


def _time(stamp: int, hundredths: int, offset: int) -> int:
    """``offset``: 7 bits, signed; the highest bit says that they count."""
    quarters = None
    if offset & 0x80:
        quarters = (offset & 0x7F) - (0x80 if offset & 0x40 else 0)
    return nanoseconds(stamp >> 16, stamp & 0xFFFF, hundredths=hundredths, offset_quarters=quarters)


def _damaged(reference: Reference) -> TreeItem:
    node = Node(name=b"damaged entry at %d" % reference, kind=NodeKind.IRREGULAR)
    return TreeItem(reference=reference, node=node, problem="Its directory entry is damaged.")
