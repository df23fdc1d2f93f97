"""The files of an NTFS volume, read by libfsntfs.

The library was measured against volumes with all that NTFS can do. Two things it
leaves to us: reparse points, which it does not show (``ntfs_reparse``), and some
files that Windows compressed (``wof_file``): by LZX it decodes wrongly or not at all
here and there, and a file of one chunk it refuses. The others it does right, and a
hundred times as fast as Python.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import pyfsntfs
from msgspec import structs

from backup_agent.errors import SpaceUnknownError, UnreadableError
from backup_agent.filesystems.files.file_tree import Reference, Stream, TreeItem
from backup_agent.filesystems.files.ntfs_index import FolderIndexes, FolderNames
from backup_agent.filesystems.files.ntfs_plain import SYSTEM, PlainRecord, plain_record
from backup_agent.filesystems.files.ntfs_records import FileRecords
from backup_agent.filesystems.files.ntfs_reparse import (
    LINUX_FIFO,
    LINUX_SOCKET,
    WOF,
    ReparsePoint,
    find_reparse_point,
)
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.filesystems.files.wof_file import STREAM as WOF_STREAM
from backup_agent.filesystems.files.wof_file import WofAlgorithm, WofFile
from backup_agent.model.disk import Extent
from backup_agent.model.node import Node, NodeKind, go_mode

_ROOT_RECORD = 5
_FIRST_OWN_RECORD = 16
"""Records before it are the file system's own ($MFT, $Bitmap …); Windows does not show them."""
_RECORD_NUMBER = (1 << 48) - 1
_SEQUENCE_SHIFT = 48
_LINKS_IN_RECORD = 18

_READ_ONLY = 0x1
_REPARSE = 0x400
_ENCRYPTED = 0x4000
# Offline, recall on open, recall on data access: set where a file's content is in the cloud only.
_ELSEWHERE = 0x1000 | 0x40000 | 0x400000

_HOLE = 0x1
_SPARSE, _COMPRESSED = 0x200, 0x800
_WRONG_HOLE = "It is damaged: part of its content has no place on the volume."

_FILETIME_OF_1970 = 116_444_736_000_000_000
_FILE_BITS, _FOLDER_BITS = 0o100644, 0o40755
_MODES = (go_mode(_FILE_BITS)[1], go_mode(_FOLDER_BITS)[1])
"""Of what is no folder, and of a folder."""
_READ_ONLY_MODES = (go_mode(_FILE_BITS & ~0o222)[1], go_mode(_FOLDER_BITS & ~0o222)[1])
_MOST_OPEN = 64
_INTERIX_LINK = b"IntxLNK\1"
_LARGEST_LINK = len(_INTERIX_LINK) + 2 * 4096

_SPECIAL_KINDS = {LINUX_FIFO: NodeKind.FIFO, LINUX_SOCKET: NodeKind.SOCKET}


class _Facts(NamedTuple):
    """What is the same however a record was read. Times are NTFS's, ``size`` in bytes."""

    is_folder: bool
    flags: int
    size: int
    modified: int
    accessed: int
    record_changed: int
    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file's record as the library has it, and what of it needs another way of reading."""

    entry: pyfsntfs.file_entry
    item: TreeItem
    compressed: WofFile | None


class NtfsTree:
    """References are NTFS's own: a record's number and how often it was used."""

    def __init__(self, volume: VolumeBytes, *, owner: tuple[int, int]) -> None:
        """``owner``: (uid, gid) of all files. Raises ``UnreadableError``."""
        self._owner = owner
        self._volume = volume
        self._library = pyfsntfs.volume()
        self._library.open_file_object(volume)
        self._records = FileRecords(
            self._library.get_file_entry(0), self._library.get_mft_entry_size()
        )
        self._open: OrderedDict[Reference, _Opened] = OrderedDict()
        self.root = Reference(self._library.get_file_entry(_ROOT_RECORD).get_file_reference())

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        number, sequence = folder & _RECORD_NUMBER, folder >> _SEQUENCE_SHIFT
        try:
            own = self._indexes.facts(number)
            if own is not None and own.sequence == sequence:
                return self._named(self._indexes.names(number))
        except (SpaceUnknownError, UnicodeError) as exc:
            return [*self._listed(folder), _damaged(b"damaged index of names", Reference(0), exc)]
        return self._listed(folder)

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        try:
            text = name.decode("utf-8", "surrogatepass")
            found = self._indexes.find(folder & _RECORD_NUMBER, text)
            if found is not None and found & _RECORD_NUMBER >= _FIRST_OWN_RECORD:
                return self._found(Reference(found), text)
        except (SpaceUnknownError, UnreadableError, OSError, UnicodeError):
            # A damaged index: the listing may still have the name, or tell what is wrong.
            pass
        return next((i for i in self.list_folder(folder) if i.node.name == name), None)

    def _found(self, reference: Reference, name: str) -> TreeItem:
        folder = self._indexes.facts(reference & _RECORD_NUMBER)
        if folder is None:
            return self._describe(self._entry(reference), reference, name)
        if folder.sequence != reference >> _SEQUENCE_SHIFT:
            raise UnreadableError("The file system has another file in its place.")
        facts = _Facts(
            is_folder=True,
            flags=folder.flags,
            size=0,
            modified=folder.modified,
            accessed=folder.accessed,
            record_changed=folder.record_changed,
            streams=folder.streams,
        )
        return self._item(None, facts, reference, name)

    @cached_property
    def _indexes(self) -> FolderIndexes:
        return FolderIndexes(self._volume)

    def item(self, reference: Reference) -> TreeItem:
        try:
            return self._opened(reference).item
        except OSError:
            # The library gives up a folder for one damaged block of its index.
            return self._found(reference, "")

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        opened = self._opened(file)
        if opened.item.problem:
            raise UnreadableError(opened.item.problem)
        if stream is not None:
            found = _stream(opened.entry, stream.decode("utf-8", "surrogatepass"))
            return _read(found, found.get_size(), offset, size)
        if opened.compressed is not None:
            return opened.compressed.read_at(offset, size)
        return _read(opened.entry, opened.item.node.size, offset, size)

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        opened = self._opened(file)
        if stream is not None:
            return _extents(_stream(opened.entry, stream.decode("utf-8", "surrogatepass")))
        if opened.entry.has_alternate_data_stream_by_name(WOF_STREAM):
            return _extents(_stream(opened.entry, WOF_STREAM))
        return _extents(opened.entry) if opened.entry.has_default_data_stream() else ()

    def _named(self, index: FolderNames) -> list[TreeItem]:
        """What a folder's index names, sorted as people look for it."""
        items: list[tuple[str, TreeItem]] = []
        # In the order of the records: each stretch of them is read once.
        for number, name in sorted(index.names):
            if number & _RECORD_NUMBER >= _FIRST_OWN_RECORD:
                items.append((name, self._described(Reference(number), name)))
        items.sort(key=_capitals)
        lost = SpaceUnknownError("A block of the folder's index is damaged: names are missing")
        return [item for _, item in items] + [
            _damaged(b"damaged names %d" % number, Reference(0), lost)
            for number in range(index.damaged_blocks)
        ]

    def _described(self, reference: Reference, name: str) -> TreeItem:
        """One name of an index; a damaged one is an item with a problem."""
        try:
            record = self._records.whole(reference & _RECORD_NUMBER)
            plain = plain_record(record, reference >> _SEQUENCE_SHIFT) if record else None
            if plain is not None:
                kind = NodeKind.FOLDER if plain.is_folder else NodeKind.FILE
                node = self._node(plain, kind, plain.size, plain.links, reference, name)
                return TreeItem(reference=reference, node=node)
            return self._found(reference, name)
        except (OSError, UnicodeError, SpaceUnknownError, UnreadableError) as exc:
            return _damaged(name.encode("utf-8", "surrogatepass"), reference, exc)

    def _listed(self, reference: Reference) -> list[TreeItem]:
        """What the library sees in a folder whose index of names is not to be had."""
        folder = self._entry(reference)
        if not folder.has_directory_entries_index():
            raise UnreadableError("It is no folder.")
        items: list[TreeItem] = []
        for number in range(folder.get_number_of_sub_file_entries()):
            try:
                entry = folder.get_sub_file_entry(number)
                found = Reference(entry.get_file_reference())
                if found & _RECORD_NUMBER >= _FIRST_OWN_RECORD:
                    items.append(self._describe(entry, found, entry.get_name() or ""))
            except (OSError, UnicodeError):
                # Whoever asks here tells that names may be missing.
                continue
        return items

    def _opened(self, reference: Reference) -> _Opened:
        opened = self._open.get(reference)
        if opened is None:
            entry = self._entry(reference)
            item = self._describe(entry, reference, "")
            if not item.problem and _has_wrong_hole(entry):
                item = structs.replace(item, problem=_WRONG_HOLE)
            opened = _Opened(entry, item, self._compressed(entry, item))
            self._open[reference] = opened
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def _entry(self, reference: Reference) -> pyfsntfs.file_entry:
        entry = self._library.get_file_entry(reference & _RECORD_NUMBER)
        if entry.get_file_reference() != reference:
            raise UnreadableError("The file system has another file in its place.")
        return entry

    def _describe(self, entry: pyfsntfs.file_entry, reference: Reference, name: str) -> TreeItem:
        is_folder: bool = entry.has_directory_entries_index()
        facts = _Facts(
            is_folder=is_folder,
            flags=entry.get_file_attribute_flags(),
            size=0 if is_folder or not entry.has_default_data_stream() else entry.get_size(),
            modified=entry.get_modification_time_as_integer(),
            accessed=entry.get_access_time_as_integer(),
            record_changed=entry.get_entry_modification_time_as_integer(),
            streams=tuple(_streams(entry)),
        )
        return self._item(entry, facts, reference, name)

    def _item(
        self, entry: pyfsntfs.file_entry | None, facts: _Facts, reference: Reference, name: str
    ) -> TreeItem:
        """``entry``: none for a folder."""
        flags, size = facts.flags, facts.size
        number = reference & _RECORD_NUMBER
        # The library takes a record that was torn while it was written as it comes.
        problem = "" if self._records.whole(number) else "Its record is damaged."
        point: ReparsePoint | None = None
        if flags & _REPARSE:
            try:
                point = find_reparse_point(number, self._records.stored)
            except UnreadableError as exc:
                problem = problem or exc.message
        kind = _kind(point, is_folder=facts.is_folder, size=size)
        target = point.link_target if point and kind is NodeKind.SYMLINK else b""
        if point is None and kind is NodeKind.FILE and entry is not None and flags & SYSTEM:
            target = _interix_target(entry, size)
            kind = NodeKind.SYMLINK if target else kind
        if kind is NodeKind.FILE and entry is not None:
            problem = problem or _problem(entry, flags, point)
        elif kind is not NodeKind.FOLDER:
            size = 0
        # A short name (``PROGRA~1``) counts, too.
        (links,) = struct.unpack_from("<H", self._records.stored(number), _LINKS_IN_RECORD)
        node = self._node(facts, kind, size, links, reference, name, link_target=target)
        streams = facts.streams if kind in (NodeKind.FILE, NodeKind.FOLDER) else ()
        return TreeItem(reference=reference, node=node, streams=streams, problem=problem)

    def _node(
        self,
        facts: _Facts | PlainRecord,
        kind: NodeKind,
        size: int,
        links: int,
        reference: Reference,
        name: str,
        *,
        link_target: bytes = b"",
    ) -> Node:
        is_read_only = facts.flags & _READ_ONLY and not facts.is_folder
        modes = _READ_ONLY_MODES if is_read_only else _MODES
        uid, gid = self._owner
        return Node(
            name=name.encode("utf-8", "surrogatepass"),
            kind=kind,
            mode=modes[kind is NodeKind.FOLDER],
            mtime_ns=_nanoseconds(facts.modified),
            atime_ns=_nanoseconds(facts.accessed),
            ctime_ns=_nanoseconds(facts.record_changed),
            uid=uid,
            gid=gid,
            inode=reference,
            size=0 if kind is NodeKind.FOLDER else size,
            links=links,
            link_target=link_target,
        )

    def _compressed(self, entry: pyfsntfs.file_entry, item: TreeItem) -> WofFile | None:
        if item.problem or not entry.get_file_attribute_flags() & _REPARSE:
            return None
        point = find_reparse_point(item.reference & _RECORD_NUMBER, self._records.stored)
        if point is None or point.tag != WOF:
            return None
        algorithm, size = point.algorithm, item.node.size
        if algorithm is not WofAlgorithm.LZX and size > algorithm.chunk_size:
            return None
        stream = _stream(entry, WOF_STREAM)
        return WofFile(algorithm, size, stream.get_size(), partial(_read_from, stream))


def _kind(point: ReparsePoint | None, *, is_folder: bool, size: int) -> NodeKind:
    """Reparse points that lead elsewhere are links: nothing here ever follows one."""
    if point is not None and point.tag in _SPECIAL_KINDS:
        return _SPECIAL_KINDS[point.tag]
    if point is not None and point.leads_elsewhere:
        return NodeKind.SYMLINK if point.link_target else NodeKind.IRREGULAR
    if is_folder:
        return NodeKind.FOLDER
    if point is not None and not size and not point.is_cloud and point.tag != WOF:
        return NodeKind.IRREGULAR
    return NodeKind.FILE


def _has_wrong_hole(entry: pyfsntfs.file_entry) -> bool:
    """Whether a file that may have no holes has one: its list of clusters is damaged."""
    if entry.has_directory_entries_index() or not entry.has_default_data_stream():
        return False
    if entry.get_file_attribute_flags() & (_SPARSE | _COMPRESSED | _REPARSE):
        return False
    extents = (entry.get_extent(number) for number in range(entry.get_number_of_extents()))
    return any(flags & _HOLE for _, _, flags in extents)


def _interix_target(entry: pyfsntfs.file_entry, size: int) -> bytes:
    """Where a link of Windows' old Unix subsystem leads, as ntfs-3g makes them, too; else empty.

    A file for the system whose content is ``IntxLNK``, a byte of 1, and the target in UTF-16.
    """
    if not len(_INTERIX_LINK) < size <= _LARGEST_LINK:
        return b""
    content = _read(entry, size, 0, size)
    if not content.startswith(_INTERIX_LINK):
        return b""
    target = content[len(_INTERIX_LINK) :].decode("utf-16-le", "surrogatepass")
    return target.encode("utf-8", "surrogatepass")


def _problem(entry: pyfsntfs.file_entry, flags: int, point: ReparsePoint | None) -> str:
    """Why a file's content would not be what Windows shows; empty if it is."""
    if flags & _ENCRYPTED:
        return "It is encrypted by Windows (EFS); only its owner's Windows can read it."
    if point is None:
        return ""
    if point.is_cloud:
        return "Its content is in the cloud only." if flags & _ELSEWHERE else ""
    if point.tag != WOF:
        return f"Its content is kept in a way only Windows knows (reparse tag {point.tag:#x})."
    try:
        point.algorithm  # noqa: B018 - raises for an unknown way to compress
    except UnreadableError as exc:
        return exc.message
    if not entry.has_alternate_data_stream_by_name(WOF_STREAM):
        return "It is damaged: Windows compressed it, but the compressed data are not there."
    return ""


def _streams(entry: pyfsntfs.file_entry) -> Iterator[Stream]:
    for number in range(entry.get_number_of_alternate_data_streams()):
        stream = entry.get_alternate_data_stream(number)
        name: str = stream.get_name()
        if name != WOF_STREAM:
            yield Stream(name.encode("utf-8", "surrogatepass"), stream.get_size())


def _stream(entry: pyfsntfs.file_entry, name: str) -> pyfsntfs.data_stream:
    if not entry.has_alternate_data_stream_by_name(name):
        raise UnreadableError(f"It has no stream {name!r}.")
    return entry.get_alternate_data_stream_by_name(name)


def _read(
    content: pyfsntfs.file_entry | pyfsntfs.data_stream, whole: int, offset: int, size: int
) -> bytes:
    end = min(offset + size, whole)
    pieces: list[bytes] = []
    while offset < end:
        piece: bytes = content.read_buffer_at_offset(end - offset, offset)
        if not piece:
            raise UnreadableError(f"It ends at byte {offset} instead of {whole}.")
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)


def _extents(content: pyfsntfs.file_entry | pyfsntfs.data_stream) -> list[Extent]:
    """The library's extents are (place, size, flags); flagged ones are holes."""
    found = (content.get_extent(number) for number in range(content.get_number_of_extents()))
    return [Extent(start, size) for start, size, flags in found if not flags & _HOLE]


def _read_from(stream: pyfsntfs.data_stream, offset: int, size: int) -> bytes:
    return _read(stream, stream.get_size(), offset, size)


def _damaged(name: bytes, reference: Reference, exc: Exception) -> TreeItem:
    """Stands in a folder's list for what is there and cannot be had."""
    node = Node(name=name, kind=NodeKind.IRREGULAR)
    own = isinstance(exc, SpaceUnknownError | UnreadableError)
    # The library's words are for its makers.
    words = f" ({str(exc).rstrip('.')})" if own else ""
    return TreeItem(reference=reference, node=node, problem=f"Its record is damaged{words}.")


def _capitals(named: tuple[str, TreeItem]) -> str:
    return named[0].upper()


def _nanoseconds(filetime: int) -> int:
    return (filetime - _FILETIME_OF_1970) * 100
