"""ext2, ext3 and ext4: a bitmap of blocks for each group of them.

The superblock, little endian: 4 u32 and 0x150 u32 blocks, 20 u32 first data
block, 24 u32 block size (1024 shifted by it), 28 u32 cluster size (likewise),
32 u32 blocks and 36 u32 clusters per group, 40 u32 inodes per group, 58 u16
state, 76 u32 revision, 88 u16 inode size, 92/96/100 u32 features, 206 u16
blocks reserved for the descriptors to grow, 254 u16 descriptor size, 260 u32
first meta group, 0x24C two u32 groups with copies (sparse_super2).
A descriptor: 0, 4, 8 u32 (0x20, 0x24, 0x28 their upper halves) block bitmap,
inode bitmap, inode table; 18 u16 flags (2: the block bitmap was never written).
Source: the kernel's documentation of ext4's disk layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.volume_bytes import VolumeBytes
from backup_agent.model.used_space import UsedSpace

_STATE_CLEAN, _STATE_ERRORS = 0x1, 0x2
_SPARSE_SUPER2 = 0x200  # compatible
_NEEDS_RECOVERY, _META_BG, _64BIT = 0x4, 0x10, 0x80  # incompatible
_SPARSE_SUPER, _GROUP_SUMS, _BIGALLOC, _METADATA_SUMS = 0x1, 0x10, 0x200, 0x400  # read-only
_BLOCK_UNINIT = 0x2
_MOST_GROUPS = 1 << 24


@dataclass(frozen=True, slots=True)
class _Superblock:
    """Sizes in bytes where they say so, else in blocks."""

    blocks: int
    first_block: int
    block_size: int
    blocks_per_cluster: int
    blocks_per_group: int
    inode_table_blocks: int
    descriptor_size: int
    reserved_descriptor_blocks: int
    first_meta_group: int | None
    groups_with_copies: tuple[int, int] | None
    """The only two besides group 0; ``None`` without sparse_super2."""
    sparse: bool
    may_be_uninit: bool

    @property
    def clusters(self) -> int:
        return -(-(self.blocks - self.first_block) // self.blocks_per_cluster)

    @property
    def clusters_per_group(self) -> int:
        return self.blocks_per_group // self.blocks_per_cluster

    @property
    def groups(self) -> int:
        return -(-(self.blocks - self.first_block) // self.blocks_per_group)

    @property
    def descriptors_per_block(self) -> int:
        return self.block_size // self.descriptor_size

    @property
    def descriptor_blocks(self) -> int:
        return -(-self.groups // self.descriptors_per_block)

    def group_start(self, group: int) -> int:
        return self.first_block + group * self.blocks_per_group

    def has_copy(self, group: int) -> bool:
        """Whether a superblock (or a copy) stands at the group's start."""
        if group == 0:
            return True
        if self.groups_with_copies is not None:
            return group in self.groups_with_copies
        return not self.sparse or group == 1 or any(_is_power(group, base) for base in (3, 5, 7))


@dataclass(frozen=True, slots=True)
class _Group:
    """Blocks of one group's own records."""

    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    uninit: bool


def ext_space(volume: VolumeBytes) -> UsedSpace:
    """The clusters (blocks, without bigalloc) in use, journal and inode tables included.

    Raises :class:`SpaceUnknownError`, also where the journal holds changes
    that the bitmaps do not know yet.
    """
    sb = _superblock(volume)
    groups = list(_groups(volume, sb))
    bitmap = ClusterBitmap(sb.clusters, _bitmaps(volume, sb, groups))
    for number, group in enumerate(groups):
        # A bitmap that was never written knows nothing of what stands in its group. In other
        # groups these are marked already; where they are not, they are needed all the same.
        _mark(bitmap, sb, sb.group_start(number), _fixed_blocks(sb, number))
        _mark(bitmap, sb, group.block_bitmap, 1)
        _mark(bitmap, sb, group.inode_bitmap, 1)
        _mark(bitmap, sb, group.inode_table, sb.inode_table_blocks)
    return bitmap.space(
        size=volume.size,
        origin=sb.first_block * sb.block_size,
        cluster_size=sb.blocks_per_cluster * sb.block_size,
    )


def _superblock(volume: VolumeBytes) -> _Superblock:
    block = volume.read(1024, 1024)
    (blocks, first_block, shift, cluster_shift) = struct.unpack_from("<4x I 12x III", block, 0)
    blocks_per_group, clusters_per_group, inodes_per_group = struct.unpack_from("<III", block, 32)
    (state,) = struct.unpack_from("<H", block, 58)
    (revision,) = struct.unpack_from("<I", block, 76)
    compatible, incompatible, read_only = struct.unpack_from("<III", block, 92)
    (inode_size,) = struct.unpack_from("<H", block, 88) if revision else (128,)
    (reserved,) = struct.unpack_from("<H", block, 206)
    descriptor_size, first_meta = struct.unpack_from("<H4xI", block, 254)
    if not incompatible & _64BIT:
        descriptor_size = 32
    else:
        blocks |= struct.unpack_from("<I", block, 0x150)[0] << 32
    if incompatible & _NEEDS_RECOVERY:
        raise SpaceUnknownError("It was not unmounted cleanly: its journal holds changes.")
    if not state & _STATE_CLEAN or state & _STATE_ERRORS:
        raise SpaceUnknownError("It was not unmounted cleanly, or has errors.")
    if shift > 6 or cluster_shift > 20:
        raise SpaceUnknownError("Its superblock makes no sense.")
    if not read_only & _BIGALLOC:
        cluster_shift, clusters_per_group = shift, blocks_per_group
    block_size = 1024 << shift
    sb = _Superblock(
        blocks=blocks,
        first_block=first_block,
        block_size=block_size,
        blocks_per_cluster=1 << max(cluster_shift - shift, 0),
        blocks_per_group=blocks_per_group,
        inode_table_blocks=-(-inodes_per_group * inode_size // block_size),
        descriptor_size=descriptor_size,
        reserved_descriptor_blocks=reserved,
        first_meta_group=first_meta if incompatible & _META_BG else None,
        groups_with_copies=struct.unpack_from("<II", block, 0x24C)
        if compatible & _SPARSE_SUPER2
        else None,
        sparse=bool(read_only & _SPARSE_SUPER),
        may_be_uninit=bool(read_only & (_GROUP_SUMS | _METADATA_SUMS)),
    )
    _refuse_nonsense(sb, clusters_per_group, volume.size)
    return sb


def _refuse_nonsense(sb: _Superblock, clusters_per_group: int, volume_size: int) -> None:
    if (
        sb.first_block > 1
        or sb.blocks <= sb.first_block
        or sb.blocks * sb.block_size > volume_size
        or not 32 <= sb.descriptor_size <= sb.block_size
        or sb.descriptor_size & (sb.descriptor_size - 1)
        or clusters_per_group * sb.blocks_per_cluster != sb.blocks_per_group
        or not 8 <= clusters_per_group <= 8 * sb.block_size
        or clusters_per_group % 8
        or sb.groups > _MOST_GROUPS
        or sb.inode_table_blocks > sb.blocks
    ):
        raise SpaceUnknownError("Its superblock makes no sense.")


def _groups(volume: VolumeBytes, sb: _Superblock) -> Iterator[_Group]:
    for number in range(sb.descriptor_blocks):
        block = volume.read(_descriptor_block(sb, number) * sb.block_size, sb.block_size)
        left = sb.groups - number * sb.descriptors_per_block
        for index in range(min(sb.descriptors_per_block, left)):
            yield _group(sb, block, index * sb.descriptor_size)


def _group(sb: _Superblock, block: bytes, place: int) -> _Group:
    block_bitmap, inode_bitmap, inode_table = struct.unpack_from("<III", block, place)
    (flags,) = struct.unpack_from("<H", block, place + 18)
    if sb.descriptor_size >= 64:
        upper = struct.unpack_from("<III", block, place + 32)
        block_bitmap |= upper[0] << 32
        inode_bitmap |= upper[1] << 32
        inode_table |= upper[2] << 32
    last = max(block_bitmap, inode_bitmap, inode_table + sb.inode_table_blocks - 1)
    if min(block_bitmap, inode_bitmap, inode_table) < sb.first_block or last >= sb.blocks:
        raise SpaceUnknownError("A group of blocks keeps its records outside the file system.")
    return _Group(
        block_bitmap, inode_bitmap, inode_table, sb.may_be_uninit and bool(flags & _BLOCK_UNINIT)
    )


def _descriptor_block(sb: _Superblock, number: int) -> int:
    """Where the block with the descriptors of the ``number``-th so many groups stands."""
    # Block 0 of 1 KiB is the boot block, the superblock follows; bigalloc counts from 0 all the
    # same, where others have 1 as their first block.
    behind_boot = 1 if sb.block_size == 1024 and sb.first_block == 0 else 0
    if sb.first_meta_group is None or number < sb.first_meta_group:
        return sb.first_block + behind_boot + 1 + number
    group = number * sb.descriptors_per_block
    start = sb.group_start(group) + (behind_boot if group == 0 else 0)
    return start + (1 if sb.has_copy(group) else 0)


def _fixed_blocks(sb: _Superblock, group: int) -> int:
    """How many blocks at a group's start hold copies of superblock and descriptors."""
    copy = sb.has_copy(group)
    behind_boot = 1 if group == 0 and sb.block_size == 1024 and sb.first_block == 0 else 0
    meta_block = group // sb.descriptors_per_block
    if sb.first_meta_group is None or meta_block < sb.first_meta_group:
        if not copy:
            return 0
        old = sb.descriptor_blocks if sb.first_meta_group is None else sb.first_meta_group
        return behind_boot + 1 + old + sb.reserved_descriptor_blocks
    # A meta group's descriptors stand in its first, second and last group.
    place = group % sb.descriptors_per_block
    return behind_boot + copy + (place in (0, 1, sb.descriptors_per_block - 1))


def _bitmaps(volume: VolumeBytes, sb: _Superblock, groups: list[_Group]) -> bytes:
    """All groups' bitmaps, joined; zeros for those never written."""
    length = sb.clusters_per_group // 8
    empty = bytes(length)
    return b"".join(
        empty if group.uninit else volume.read(group.block_bitmap * sb.block_size, length)
        for group in groups
    )


def _mark(bitmap: ClusterBitmap, sb: _Superblock, block: int, count: int) -> None:
    if count:
        first = (block - sb.first_block) // sb.blocks_per_cluster
        last = (block + count - 1 - sb.first_block) // sb.blocks_per_cluster
        last = min(last, sb.clusters - 1)
        bitmap.mark(first, last - first + 1)


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1
