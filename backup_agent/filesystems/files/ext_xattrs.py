"""Extended attributes of ext, in the inode's own room and in a block of their own.

Both begin with u32 0xEA020000, the block with 28 bytes more. Entries: u8 length of
the name, u8 which prefix, u16 where the value is (in the inode: from the first entry
on; in the block: from its start), u32 inode that holds the value instead, u32 its
size, u32 hash, name; padded to 4 bytes; four zeros end the list.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.ext_blocks import file_runs
from backup_agent.filesystems.files.ext_inode import Inode, InodeTable
from backup_agent.filesystems.files.volume_bytes import VolumeBytes

INLINE_DATA = "system.data"
"""What of a small file's content does not fit where its block numbers would be."""

_MAGIC = struct.pack("<I", 0xEA020000)
_BLOCK_HEAD = 32
_OLD_INODE_SIZE = 128
_PREFIXES = {
    1: "user.",
    2: "system.posix_acl_access",
    3: "system.posix_acl_default",
    4: "trusted.",
    6: "security.",
    7: "system.",
    8: "system.richacl",
}
_LARGEST_VALUE = 64 << 10
_ACL_ON_DISK, _ACL_IN_KERNEL = 1, 2
_ACL_WITH_ID = (0x02, 0x08)
_NO_ID = 0xFFFFFFFF


class Attribute(NamedTuple):
    """``value`` as the kernel's ``getxattr`` gives it."""

    name: str
    value: bytes


def read_xattrs(volume: VolumeBytes, inodes: InodeTable, inode: Inode) -> Sequence[Attribute]:
    """Raises ``UnreadableError`` for damaged ones."""
    found: list[Attribute] = []
    if len(inode.raw) > _OLD_INODE_SIZE + 2:
        (used,) = struct.unpack_from("<H", inode.raw, _OLD_INODE_SIZE)
        area = inode.raw[_OLD_INODE_SIZE + used :]
        if area.startswith(_MAGIC):
            found += _entries(volume, inodes, area, 4, 4)
    if inode.attributes_block:
        place = inode.attributes_block * inodes.block_size
        area = volume.exactly(place, inodes.block_size)
        if not area.startswith(_MAGIC):
            raise UnreadableError("Its extended attributes are damaged.")
        found += _entries(volume, inodes, area, _BLOCK_HEAD, 0)
    return found


def _entries(
    volume: VolumeBytes, inodes: InodeTable, area: bytes, start: int, values_start: int
) -> Iterator[Attribute]:
    place = start
    while place + 4 <= len(area) and area[place : place + 4] != b"\0\0\0\0":
        if place + 16 > len(area):
            raise UnreadableError("Its extended attributes are damaged.")
        name_length, prefix, offset, elsewhere, size = struct.unpack_from("<BBHII", area, place)
        name = _PREFIXES.get(prefix, f"unknown-{prefix}.")
        name += area[place + 16 : place + 16 + name_length].decode("utf-8", "surrogateescape")
        if size > _LARGEST_VALUE:
            raise UnreadableError("Its extended attributes are damaged.")
        if elsewhere:
            holder = inodes.read(elsewhere)
            value = file_runs(volume, inodes, holder).read_at(volume, 0, size)
        else:
            value = area[values_start + offset : values_start + offset + size]
        if len(value) != size:
            raise UnreadableError("Its extended attributes are damaged.")
        yield Attribute(name, _acl(value) if prefix in (2, 3) else value)
        place += 16 + (name_length + 3 & ~3)


def _acl(value: bytes) -> bytes:
    """An access list as the kernel speaks of it: every entry has an id, if only a blank one.

    On disk: u32 version 1; entries of u16 tag, u16 rights, and u32 id for named ones only.
    """
    if len(value) < 4 or struct.unpack_from("<I", value) != (_ACL_ON_DISK,):
        raise UnreadableError("Its access list is damaged.")
    place = 4
    entries = [struct.pack("<I", _ACL_IN_KERNEL)]
    while place + 4 <= len(value):
        tag, rights = struct.unpack_from("<HH", value, place)
        place += 4
        owner = _NO_ID
        if tag in _ACL_WITH_ID:
            if place + 4 > len(value):
                raise UnreadableError("Its access list is damaged.")
            (owner,) = struct.unpack_from("<I", value, place)
            place += 4
        entries.append(struct.pack("<HHI", tag, rights, owner))
    return b"".join(entries)
