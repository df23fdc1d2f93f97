"""The files of an ext2, ext3 or ext4 volume.

Layout: the kernel's ``Documentation/filesystems/ext4``. A folder is read front to
back: the blocks of its hash tree look like unused entries to those who do not know
of it, and damage to the tree hides no names. Shown is what lies on the disk; a journal
that was never replayed stays so.
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.crc32c import crc32c
from backup_agent.filesystems.files.ext_allocated import AllocatedBlocks
from backup_agent.filesystems.files.ext_blocks import file_runs
from backup_agent.filesystems.files.ext_inode import Inode, InodeTable
from backup_agent.filesystems.files.ext_xattrs import INLINE_DATA, Attribute, read_xattrs
from backup_agent.filesystems.files.file_tree import Reference, TreeItem
from backup_agent.filesystems.files.runs import Runs
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.disk import Extent
from backup_agent.model.node import Node, NodeKind, Xattr, go_mode

_ROOT_INODE = 2
_FAST_SYMLINK_BYTES = 60
_LARGEST_FOLDER = 1 << 30
_INLINE_FOLDER_HEAD = 4
_HASH_INFO_SIZE = 8
_TAIL, _TAIL_SIZE = b"\0\0\0\0\x0c\0\0\xde", 12
_MOST_OPEN = 64
_ENCRYPTED = "It is encrypted by the file system (fscrypt)."


class ExtTree:
    """References are inode numbers."""

    root = Reference(_ROOT_INODE)

    def __init__(self, volume: VolumeBytes) -> None:
        """Raises ``UnreadableError``."""
        self._volume = volume
        self._inodes = InodeTable(volume)
        self._allocated = AllocatedBlocks(volume)
        self._open: OrderedDict[Reference, tuple[Inode, Runs | bytes]] = OrderedDict()

    def list_folder(self, folder: Reference) -> Sequence[TreeItem]:
        return [self._listed(number, name) for number, name in self._names(self._folder(folder))]

    def look_up(self, folder: Reference, name: bytes) -> TreeItem | None:
        for number, found in self._names(self._folder(folder)):
            if found == name:
                return self._listed(number, name)
        return None

    def item(self, reference: Reference) -> TreeItem:
        return self._described(self._inodes.read(reference), b"")

    def read_at(
        self, file: Reference, offset: int, size: int, *, stream: bytes | None = None
    ) -> bytes:
        if stream is not None:
            raise UnreadableError("ext knows no streams.")
        inode, content = self._opened(file)
        size = max(min(size, inode.size - offset), 0)
        if isinstance(content, bytes):
            return content[offset : offset + size]
        within = max(min(size, content.size - offset), 0)
        # Blocks behind the last one in use are a hole like any other.
        begin = content.read_at(self._allocated, offset, within) if within else b""
        return begin + bytes(size - within)

    def _folder(self, reference: Reference) -> Inode:
        inode = self._inodes.read(reference)
        if inode.kind is not NodeKind.FOLDER:
            raise UnreadableError("It is no folder.")
        self._inodes.refuse_damaged(inode)
        if inode.is_encrypted:
            raise UnreadableError(_ENCRYPTED)
        return inode

    def extents(self, file: Reference, *, stream: bytes | None = None) -> Sequence[Extent]:
        _, content = self._opened(file)
        return () if isinstance(content, bytes) or stream is not None else content.extents()

    def _opened(self, file: Reference) -> tuple[Inode, Runs | bytes]:
        opened = self._open.get(file)
        if opened is None:
            inode = self._inodes.read(file)
            if inode.kind is not NodeKind.FILE:
                raise UnreadableError("It is no file.")
            self._inodes.refuse_damaged(inode)
            if inode.is_encrypted:
                raise UnreadableError(_ENCRYPTED)
            opened = self._open[file] = inode, self._content(inode)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def _content(self, inode: Inode) -> Runs | bytes:
        if not inode.has_inline_data:
            return file_runs(self._volume, self._inodes, inode)
        rest = next((a.value for a in self._attributes(inode) if a.name == INLINE_DATA), b"")
        return (inode.block + rest)[: inode.size]

    def _names(self, folder: Inode) -> Iterator[tuple[int, bytes]]:
        if folder.has_inline_data:
            content = self._content(folder)
            assert isinstance(content, bytes)
            # The inode's own room and the attribute are two lists, each with an end of its own.
            yield from _entries(content[_INLINE_FOLDER_HEAD : len(folder.block)])
            yield from _entries(content[len(folder.block) :])
            return
        if folder.size > _LARGEST_FOLDER:
            raise UnreadableError("It is larger than any folder can be.")
        runs = file_runs(self._volume, self._inodes, folder)
        block_size = self._inodes.block_size
        seed = self._inodes.seed(folder)
        for offset in range(0, folder.size, block_size):
            block = runs.read_at(self._allocated, offset, block_size)
            if not offset and folder.has_hash_tree and _is_hash_root(block):
                continue
            _refuse_wrong_sum(block, seed)
            yield from _entries(block)

    def _listed(self, number: int, name: bytes) -> TreeItem:
        try:
            return self._described(self._inodes.read(number), name)
        except UnreadableError as exc:
            node = Node(name=name, kind=NodeKind.IRREGULAR)
            return TreeItem(reference=Reference(number), node=node, problem=exc.message)

    def _described(self, inode: Inode, name: bytes) -> TreeItem:
        kind, mode = go_mode(inode.mode)
        problem = _ENCRYPTED if inode.is_encrypted and kind is NodeKind.FILE else ""
        xattrs: tuple[Xattr, ...] = ()
        try:
            if attributes := self._attributes(inode):
                xattrs = tuple(Xattr(a.name, a.value) for a in attributes if a.name != INLINE_DATA)
        except UnreadableError as exc:
            problem = problem or exc.message
        node = Node(
            name=name,
            kind=kind,
            mode=mode,
            mtime_ns=inode.mtime_ns,
            atime_ns=inode.atime_ns,
            ctime_ns=inode.ctime_ns,
            uid=inode.uid,
            gid=inode.gid,
            inode=inode.number,
            size=inode.size if kind is NodeKind.FILE else 0,
            links=inode.links,
            link_target=self._link_target(inode) if kind is NodeKind.SYMLINK else b"",
            xattrs=xattrs,
            device=_device(inode) if "dev" in kind.value else 0,
        )
        return TreeItem(reference=Reference(inode.number), node=node, problem=problem)

    def _link_target(self, inode: Inode) -> bytes:
        self._inodes.refuse_damaged(inode)
        if inode.is_encrypted:
            return b""
        if inode.has_inline_data:
            content = self._content(inode)
            assert isinstance(content, bytes)
            return content
        if inode.size < _FAST_SYMLINK_BYTES and not inode.has_extents and not inode.has_blocks:
            return inode.block[: inode.size]
        runs = file_runs(self._volume, self._inodes, inode)
        return runs.read_at(self._volume, 0, min(inode.size, self._inodes.block_size))

    def _attributes(self, inode: Inode) -> Sequence[Attribute]:
        return read_xattrs(self._volume, self._inodes, inode)


def _is_hash_root(block: bytes) -> bool:
    """The tree's root holds no names besides "." and "..", even where those are damaged.

    Behind these two, which take 24 bytes: u32 0, u8 hash, u8 8 (its own length), u8 depth.
    """
    return block[24:28] == bytes(4) and block[29] == _HASH_INFO_SIZE


def _refuse_wrong_sum(block: bytes, seed: int | None) -> None:
    """A block of names may end in an unused entry of type 0xDE, which has its checksum."""
    body, tail = block[:-_TAIL_SIZE], block[-_TAIL_SIZE:]
    if seed is None or not tail.startswith(_TAIL):
        return
    if crc32c(seed, body) != int.from_bytes(tail[len(_TAIL) :], "little"):
        raise UnreadableError("One of the folder's blocks is damaged: the checksum is wrong.")


def _entries(block: bytes) -> Iterator[tuple[int, bytes]]:
    """(inode, name) of each entry: u32 inode, u16 length, u8 length of the name, u8 type, name.

    Raises ``UnreadableError`` for a damaged block.
    """
    place = 0
    while place + 8 <= len(block):
        number, length, name_length = struct.unpack_from("<IHB", block, place)
        if length in (0, 0xFFFF) and len(block) >= 0x10000:
            length = 0x10000
        if length < 8 or length % 4 or 8 + name_length > length or place + length > len(block):
            raise UnreadableError("One of the folder's blocks is damaged.")
        name = block[place + 8 : place + 8 + name_length]
        if number and name not in (b".", b".."):
            yield number, name
        place += length


def _device(inode: Inode) -> int:
    """The old form (8 bits each) in the first word, or the new one in the second."""
    old, new = struct.unpack_from("<II", inode.block)
    if old:
        return os.makedev(old >> 8 & 0xFF, old & 0xFF)
    return os.makedev(new >> 8 & 0xFFF, new & 0xFF | new >> 12 & 0xFFF00)
