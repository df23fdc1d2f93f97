"""ext's superblock and group descriptors as far as they lead to inodes, and the inodes.

The superblock, 1024 bytes into the volume, little endian, besides what the layout
takes out of it: 0 u32 inodes, 40 u32 inodes a group, 88 u16 bytes an inode, 96 u32
incompatible features.

An inode: 0 u16 mode, 2 u16 uid, 4 u32 size, 8, 12, 16 u32 atime, ctime, mtime,
24 u16 gid, 26 u16 links, 28 u32 sectors, 32 u32 flags, 40 60 bytes that lead to
the content, 104 u32 block of attributes, 108 u32 high half of the size, 118 u16,
120 u16, 122 u16 more bits of attribute block, uid, gid, 128 u16 bytes used
beyond 128; there, at 132, 136, 140, more of ctime, mtime, atime: 2 bits of
seconds below 30 of nanoseconds.
"""

from __future__ import annotations

import struct

import msgspec

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.ext_layout import parse_layout
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.model.node import NodeKind, go_mode

_MAGIC = 0xEF53
# filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir,
# inline_data, encrypt, casefold
_KNOWN = 0x2 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000
_KNOWN |= 0x10000 | 0x20000
_COMPRESSED, _IS_ENCRYPTED, _HASH_TREE = 0x4, 0x800, 0x1000
_EXTENTS, _INLINE = 0x80000, 0x10000000
_OLD_INODE_SIZE = 128
_HEAD = struct.Struct("<HHIIII4xHH4xI")
_UPPER_HALVES = struct.Struct("<II6xHHH")
_UPPER_HALVES_PLACE = 104
_EXTRA_TIMES = struct.Struct("<H2xIII")
_NEEDED_FOR_TIMES = 16


# A msgspec.Struct: a large folder makes one for each of its names.
class Inode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Times in nanoseconds since 1970, sizes in bytes. ``raw``: as it stands on the volume."""

    number: int
    mode: int
    uid: int
    gid: int
    size: int
    links: int
    flags: int
    atime_ns: int
    ctime_ns: int
    mtime_ns: int
    attributes_block: int
    raw: bytes

    @property
    def kind(self) -> NodeKind:
        return go_mode(self.mode)[0]

    @property
    def block(self) -> bytes:
        """The 60 bytes that hold, or lead to, the content."""
        return self.raw[40:100]

    @property
    def has_blocks(self) -> bool:
        """Whether it takes room besides itself and its attributes; counted in sectors."""
        return int.from_bytes(self.raw[28:32], "little") > 0 and not self.attributes_block

    @property
    def has_extents(self) -> bool:
        return bool(self.flags & _EXTENTS)

    @property
    def has_hash_tree(self) -> bool:
        return bool(self.flags & _HASH_TREE)

    @property
    def has_inline_data(self) -> bool:
        return bool(self.flags & _INLINE)

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & _IS_ENCRYPTED)


class InodeTable:
    """Every inode of a volume, by its number from 1 on."""

    def __init__(self, volume: VolumeBytes) -> None:
        """Raises ``UnreadableError`` for one that is damaged, or uses what is not known here."""
        self._volume = volume
        block = volume.exactly(1024, 1024)
        (self._count,) = struct.unpack_from("<I", block)
        (self._per_group,) = struct.unpack_from("<I", block, 40)
        magic, self._inode_size = struct.unpack_from("<H30xH", block, 56)
        (features,) = struct.unpack_from("<I", block, 96)
        layout = parse_layout(block)
        if magic != _MAGIC or layout is None or not self._per_group:
            raise UnreadableError("Its superblock is damaged.")
        if not layout.superblock_fits:
            raise UnreadableError(
                "Its superblock is damaged: the checksum is wrong.",
                hint="Restore the whole volume; e2fsck can repair it out of a copy.",
            )
        if unknown := features & ~_KNOWN:
            raise UnreadableError(f"It uses features of ext4 that are not known ({unknown:#x}).")
        self._layout = layout
        self.block_size = layout.block_size
        self._inode_size = self._inode_size or _OLD_INODE_SIZE
        if not 128 <= self._inode_size <= self.block_size:
            raise UnreadableError("Its superblock is damaged.")
        self._tables: dict[int, int] = {}

    def read(self, number: int) -> Inode:
        """Raises ``UnreadableError`` for one that is not there or in use."""
        if not 1 <= number <= self._count:
            raise UnreadableError(f"The file system points to inode {number}, which is none.")
        group, place = divmod(number - 1, self._per_group)
        raw = self._volume.exactly(self._table(group) + place * self._inode_size, self._inode_size)
        inode = _decode(number, raw)
        if not inode.mode or not inode.links:
            raise UnreadableError(f"The file system points to inode {number}, which is unused.")
        if inode.flags & _COMPRESSED and inode.kind is NodeKind.FILE:
            raise UnreadableError("It is compressed in a way no driver knows any more.")
        return inode

    def refuse_damaged(self, inode: Inode) -> None:
        """Raises ``UnreadableError`` where its checksum is wrong.

        Not done for every inode that is listed: that would double a listing's time.
        """
        if not self._layout.inode_fits(inode.number, inode.raw):
            raise UnreadableError("Its inode is damaged: the checksum is wrong.")

    def seed(self, inode: Inode) -> int | None:
        """What the checksums of its blocks of records begin with; ``None`` without any."""
        return self._layout.inode_seed(inode.number, inode.raw)

    def _table(self, group: int) -> int:
        """Where a group's inodes begin, in bytes."""
        start: int | None = self._tables.get(group)
        if start is None:
            descriptor = self._descriptor(group)
            block = int.from_bytes(descriptor[8:12], "little")
            if len(descriptor) >= 64:
                block |= int.from_bytes(descriptor[40:44], "little") << 32
            start = self._tables[group] = block * self.block_size
        return start

    def _descriptor(self, group: int) -> bytes:
        layout = self._layout
        block, within = divmod(group, layout.descriptors_per_block)
        place = layout.descriptor_block(block) * layout.block_size
        place += within * layout.descriptor_size
        descriptor = self._volume.exactly(place, layout.descriptor_size)
        if not layout.descriptor_fits(group, descriptor):
            raise UnreadableError("The place of its inodes is not known: a checksum is wrong.")
        return descriptor


def _decode(number: int, raw: bytes) -> Inode:
    mode, uid, size, atime, ctime, mtime, gid, links, flags = _HEAD.unpack_from(raw)
    attributes_block, size_high, attributes_high, uid_high, gid_high = _UPPER_HALVES.unpack_from(
        raw, _UPPER_HALVES_PLACE
    )
    ctime_extra = mtime_extra = atime_extra = 0
    if len(raw) >= _OLD_INODE_SIZE + _EXTRA_TIMES.size:
        used, *extra = _EXTRA_TIMES.unpack_from(raw, _OLD_INODE_SIZE)
        if used >= _NEEDED_FOR_TIMES:
            ctime_extra, mtime_extra, atime_extra = extra
    return Inode(
        number=number,
        mode=mode,
        uid=uid | uid_high << 16,
        gid=gid | gid_high << 16,
        size=size | size_high << 32,
        links=links,
        flags=flags,
        ctime_ns=_nanoseconds(ctime, ctime_extra),
        mtime_ns=_nanoseconds(mtime, mtime_extra),
        atime_ns=_nanoseconds(atime, atime_extra),
        attributes_block=attributes_block | attributes_high << 32,
        raw=raw,
    )


def _nanoseconds(seconds: int, extra: int) -> int:
    signed = seconds - (1 << 32) if seconds & 1 << 31 else seconds
    return (signed + ((extra & 3) << 32)) * 1_000_000_000 + (extra >> 2)
