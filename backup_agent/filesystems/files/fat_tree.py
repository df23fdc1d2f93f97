"""The files of a FAT12, FAT16 or FAT32 volume.

A folder is a list of entries of 32 bytes (Microsoft's FAT specification 1.03):
0 name and extension, 8 + 3 bytes, 11 attributes, 12 u8 which of them are in small
letters, 13 u8 hundredths and 14, 16 u16 time and date of creation, 18 u16 date of
access, 20 u16 high half of the first cluster, 22, 24 u16 time and date of writing,
26 u16 low half, 28 u32 size. A long name stands in front of its entry in pieces of
13 UTF-16 units, last piece first, each with the short name's checksum.
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
from backup_agent.model.node import Node, go_mode

_ENTRY_SIZE = 32
_END, _DELETED, _ESCAPED_E5 = 0x00, 0xE5, 0x05
_READ_ONLY, _LABEL, _FOLDER, _LONG_NAME = 0x01, 0x08, 0x10, 0x0F
_SMALL_NAME, _SMALL_EXTENSION = 0x08, 0x10
_LAST_PIECE, _PIECE_NUMBER = 0x40, 0x1F
_LARGEST_FOLDER = 256 << 20
_MOST_OPEN = 64
_ROOT = Reference(0)


@dataclass(frozen=True, slots=True)
class _Boot:
    """``root``: FAT12 and FAT16 keep the root folder in a place of its own."""

    layout: ClusterLayout
    root: Run | None
    root_cluster: int


class FatTree:
    """References are the places of directory entries, in bytes from the volume's start."""

    root = _ROOT

    def __init__(self, volume: VolumeBytes, *, owner: tuple[int, int]) -> None:
        """``owner``: (uid, gid) of all files. Raises ``UnreadableError``."""
        self._volume = volume
        self._owner = owner
        self._boot = _read_boot(volume)
        self._table = AllocationTable(volume, self._boot.layout)
        self._open: OrderedDict[Reference, tuple[Runs, int]] = OrderedDict()

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        return list(self._entries(self._folder_runs(folder)))

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        items = self._entries(self._folder_runs(folder))
        return next((item for item in items if item.node.name == name), None)

    def item(self, reference: Reference) -> TreeItem:
        if reference == _ROOT:
            kind, mode = go_mode(0o40755)
            uid, gid = self._owner
            node = Node(name=b"", kind=kind, mode=mode, uid=uid, gid=gid, links=1)
            return TreeItem(reference=_ROOT, node=node)
        return self._described(reference, self._volume.exactly(reference, _ENTRY_SIZE), b"")

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        if stream is not None:
            raise UnreadableError("FAT knows no streams.")
        runs, whole = self._opened(file)
        return runs.read_at(self._volume, offset, max(min(size, whole - offset), 0))

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        return () if stream is not None else self._opened(file)[0].extents()

    def _opened(self, file: Reference) -> tuple[Runs, int]:
        opened = self._open.get(file)
        if opened is None:
            entry = self._volume.exactly(file, _ENTRY_SIZE)
            if file == _ROOT or entry[11] & (_FOLDER | _LABEL):
                raise UnreadableError("It is no file.")
            (size,) = struct.unpack_from("<I", entry, 28)
            runs = Runs(self._table.chain(_first_cluster(entry)) if size else ())
            opened = self._open[file] = runs, size
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def _folder_runs(self, folder: Reference) -> list[Run]:
        if folder == _ROOT:
            if self._boot.root is not None:
                return [self._boot.root]
            return list(self._table.chain(self._boot.root_cluster))
        entry = self._volume.exactly(folder, _ENTRY_SIZE)
        if not entry[11] & _FOLDER or entry[11] & _LABEL:
            raise UnreadableError("It is no folder.")
        return list(self._table.chain(_first_cluster(entry)))

    def _entries(self, runs: list[Run]) -> Iterator[TreeItem]:
        if sum(run.size for run in runs) > _LARGEST_FOLDER:
            raise UnreadableError("It is larger than any folder can be.")
        pieces: list[bytes] = []
        for run in runs:
            assert run.start is not None
            data = self._volume.exactly(run.start, run.size)
            for place in range(0, len(data), _ENTRY_SIZE):
                entry = data[place : place + _ENTRY_SIZE]
                if entry[0] == _END:
                    return
                if entry[0] == _DELETED:
                    pieces.clear()
                elif entry[11] & 0x3F == _LONG_NAME:
                    pieces.append(entry)
                else:
                    name = _long_name(pieces, entry) or _short_name(entry)
                    pieces.clear()
                    if not entry[11] & _LABEL and name not in (b".", b".."):
                        yield self._described(Reference(run.start + place), entry, name)

    def _described(self, reference: Reference, entry: bytes, name: bytes) -> TreeItem:
        flags = entry[11]
        is_folder = bool(flags & _FOLDER)
        hundredths, created, created_date, accessed, _, written, written_date = struct.unpack_from(
            "<BHHHHHH", entry, 13
        )
        kind, mode = go_mode(0o40755 if is_folder else 0o100444 if flags & _READ_ONLY else 0o100644)
        uid, gid = self._owner
        node = Node(
            name=name,
            kind=kind,
            mode=mode,
            mtime_ns=nanoseconds(written_date, written),
            atime_ns=nanoseconds(accessed, 0),
            ctime_ns=nanoseconds(created_date, created, hundredths=hundredths),
            uid=uid,
            gid=gid,
            inode=_first_cluster(entry) if is_folder else 0,
            size=0 if is_folder else int.from_bytes(entry[28:32], "little"),
            links=1,
        )
        return TreeItem(reference=reference, node=node)


def _read_boot(volume: VolumeBytes) -> _Boot:
    boot = volume.exactly(0, 512)
    (sector, per_cluster, reserved, tables, root_entries, small, _, per_table) = struct.unpack_from(
        "<HBHBHHBH", boot, 11
    )
    large, per_table32, root_cluster = struct.unpack_from("<II4xI", boot, 32)
    if not (sector and per_cluster and reserved and tables and (per_table or per_table32)):
        raise UnreadableError("Its boot sector is damaged.")
    root_start = reserved + tables * (per_table or per_table32)
    root_sectors = -(-root_entries * _ENTRY_SIZE // sector)
    clusters_start = root_start + root_sectors
    clusters = ((small or large) - clusters_start) // per_cluster
    if clusters < 1 or (small or large) * sector > volume.size:
        raise UnreadableError("Its boot sector is damaged.")
    bits = 28 if not per_table else 12 if clusters < 4085 else 16
    stored_bits = 32 if bits == 28 else bits
    layout = ClusterLayout(
        table_start=reserved * sector,
        entry_bits=bits,
        clusters_start=clusters_start * sector,
        cluster_size=per_cluster * sector,
        clusters=min(clusters, (per_table or per_table32) * sector * 8 // stored_bits - 2),
    )
    root = None if bits == 28 else Run(root_start * sector, root_entries * _ENTRY_SIZE)
    return _Boot(layout, root, root_cluster)


def _first_cluster(entry: bytes) -> int:
    return int.from_bytes(entry[26:28] + entry[20:22], "little")


def _short_name(entry: bytes) -> bytes:
    # Names are in the code page of whoever wrote them, which FAT does not record.
    raw = (b"\xe5" if entry[0] == _ESCAPED_E5 else entry[:1]) + entry[1:11]
    stem, extension = raw[:8].decode("cp437").rstrip(), raw[8:].decode("cp437").rstrip()
    if entry[12] & _SMALL_NAME:
        stem = stem.lower()
    if entry[12] & _SMALL_EXTENSION:
        extension = extension.lower()
    return (f"{stem}.{extension}" if extension else stem).encode()


def _long_name(pieces: list[bytes], entry: bytes) -> bytes:
    """Empty unless the pieces in front of an entry are all there and belong to it."""
    if not pieces or not pieces[0][0] & _LAST_PIECE:
        return b""
    checksum = 0
    for byte in entry[:11]:
        checksum = ((checksum >> 1) + ((checksum & 1) << 7) + byte) & 0xFF
    numbers = [piece[0] & _PIECE_NUMBER for piece in pieces]
    if numbers != list(range(len(pieces), 0, -1)) or any(p[13] != checksum for p in pieces):
        return b""
    units = b"".join(p[1:11] + p[14:26] + p[28:32] for p in reversed(pieces))
    for place in range(0, len(units), 2):
        if units[place : place + 2] == b"\0\0":
            units = units[:place]
            break
    return units.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
