"""ext2, ext3 and ext4: a bitmap of blocks for each group of them.

The superblock, little endian, besides what the layout takes out of it: 28 u32
cluster size (1024 shifted by it), 36 u32 clusters per group, 40 u32 inodes per
group, 58 u16 state, 76 u32 revision, 88 u16 inode size.
A descriptor: 0, 4, 8 u32 (0x20, 0x24, 0x28 their upper halves) block bitmap,
inode bitmap, inode table; 12 u16 (0x2C) free clusters; 18 u16 flags (2: the
block bitmap was never written).
Source: the kernel's documentation of ext4's disk layout.

A bitmap is believed where its checksum is right and it has as many free clusters
as its descriptor counts. A group with another one is stored whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError, UncleanVolumeError
from backup_agent.filesystems.ext_layout import ExtLayout, parse_layout
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.used_space import UsedSpace

_STATE_CLEAN, _STATE_ERRORS = 0x1, 0x2
_NEEDS_RECOVERY = 0x4  # incompatible
_GROUP_SUMS, _BIGALLOC, _METADATA_SUMS = 0x10, 0x200, 0x400  # read-only
_BLOCK_UNINIT = 0x2
_MOST_GROUPS = 1 << 24


@dataclass(frozen=True, slots=True)
class ExtSpace:
    """``remarks`` say what was found wrong."""

    space: UsedSpace
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExtSuperblock:
    """Of a volume that was unmounted cleanly."""

    layout: ExtLayout
    blocks_per_cluster: int
    inode_table_blocks: int
    may_be_uninit: bool

    @property
    def clusters(self) -> int:
        layout = self.layout
        return -(-(layout.blocks - layout.first_block) // self.blocks_per_cluster)

    @property
    def clusters_per_group(self) -> int:
        return self.layout.blocks_per_group // self.blocks_per_cluster


@dataclass(frozen=True, slots=True)
class ExtGroup:
    """Blocks of one group's own records, and how many clusters it calls free."""

    descriptor: bytes
    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    free: int
    uninit: bool


def ext_space(volume: VolumeWindow) -> ExtSpace:
    """The clusters (blocks, without bigalloc) in use, journal and inode tables included.

    Raises :class:`SpaceUnknownError`, also where the journal holds changes
    that the bitmaps do not know yet.
    """
    sb = read_superblock(volume)
    layout = sb.layout
    groups = list(_groups(volume, sb))
    bitmaps = [stored_bitmap(volume, sb, group) for group in groups]
    bitmap = ClusterBitmap(sb.clusters, b"".join(bitmaps))
    for number, group in enumerate(groups):
        # A bitmap that was never written knows nothing of what stands in its group. In other
        # groups these are marked already; where they are not, they are needed all the same.
        _mark(bitmap, sb, layout.group_start(number), layout.fixed_blocks(number))
        _mark(bitmap, sb, group.block_bitmap, 1)
        _mark(bitmap, sb, group.inode_bitmap, 1)
        _mark(bitmap, sb, group.inode_table, sb.inode_table_blocks)
    doubtful = _mark_doubtful(bitmap, sb, groups, bitmaps)
    space = bitmap.space(
        size=volume.size,
        origin=layout.first_block * layout.block_size,
        cluster_size=sb.blocks_per_cluster * layout.block_size,
    )
    return ExtSpace(space, _remarks(doubtful, len(groups)))


def read_superblock(volume: VolumeWindow) -> ExtSuperblock:
    """Raises :class:`SpaceUnknownError` where it makes no sense, or the bitmaps do not count."""
    block = volume.read(1024, 1024)
    (shift, cluster_shift) = struct.unpack_from("<II", block, 24)
    clusters_per_group, inodes_per_group = struct.unpack_from("<II", block, 36)
    (state,) = struct.unpack_from("<H", block, 58)
    (revision,) = struct.unpack_from("<I", block, 76)
    incompatible, read_only = struct.unpack_from("<II", block, 96)
    (inode_size,) = struct.unpack_from("<H", block, 88) if revision else (128,)
    if incompatible & _NEEDS_RECOVERY:
        raise UncleanVolumeError("It was not unmounted cleanly: its journal holds changes.")
    if not state & _STATE_CLEAN or state & _STATE_ERRORS:
        raise UncleanVolumeError("It was not unmounted cleanly, or has errors.")
    layout = parse_layout(block)
    if layout is None or cluster_shift > 20:
        raise SpaceUnknownError("Its superblock makes no sense.")
    if not layout.superblock_fits:
        raise SpaceUnknownError("Its superblock is damaged: the checksum is wrong.")
    if not read_only & _BIGALLOC:
        cluster_shift, clusters_per_group = shift, layout.blocks_per_group
    sb = ExtSuperblock(
        layout=layout,
        blocks_per_cluster=1 << max(cluster_shift - shift, 0),
        inode_table_blocks=-(-inodes_per_group * inode_size // layout.block_size),
        may_be_uninit=bool(read_only & (_GROUP_SUMS | _METADATA_SUMS)),
    )
    _refuse_nonsense(sb, clusters_per_group, volume.size)
    return sb


def _refuse_nonsense(sb: ExtSuperblock, clusters_per_group: int, volume_size: int) -> None:
    layout = sb.layout
    if (
        layout.blocks * layout.block_size > volume_size
        or clusters_per_group * sb.blocks_per_cluster != layout.blocks_per_group
        or not 8 <= clusters_per_group <= 8 * layout.block_size
        or clusters_per_group % 8
        or layout.groups > _MOST_GROUPS
        or sb.inode_table_blocks > layout.blocks
    ):
        raise SpaceUnknownError("Its superblock makes no sense.")


def _groups(volume: VolumeWindow, sb: ExtSuperblock) -> Iterator[ExtGroup]:
    layout = sb.layout
    for number in range(layout.descriptor_blocks):
        place = layout.descriptor_block(number) * layout.block_size
        block = volume.read(place, layout.block_size)
        first = number * layout.descriptors_per_block
        for index in range(min(layout.descriptors_per_block, layout.groups - first)):
            descriptor = block[index * layout.descriptor_size :][: layout.descriptor_size]
            yield _group(sb, first + index, descriptor)


def read_group(volume: VolumeWindow, sb: ExtSuperblock, number: int) -> ExtGroup:
    """One group alone. Raises :class:`SpaceUnknownError`."""
    layout = sb.layout
    block, index = divmod(number, layout.descriptors_per_block)
    place = layout.descriptor_block(block) * layout.block_size + index * layout.descriptor_size
    return _group(sb, number, volume.read(place, layout.descriptor_size))


def _group(sb: ExtSuperblock, number: int, descriptor: bytes) -> ExtGroup:
    if not sb.layout.descriptor_fits(number, descriptor):
        raise SpaceUnknownError("The checksum of a group's descriptor is wrong.")
    block_bitmap, inode_bitmap, inode_table, free = struct.unpack_from("<IIIH", descriptor)
    (flags,) = struct.unpack_from("<H", descriptor, 18)
    if len(descriptor) >= 64:
        upper = struct.unpack_from("<IIIH", descriptor, 32)
        block_bitmap |= upper[0] << 32
        inode_bitmap |= upper[1] << 32
        inode_table |= upper[2] << 32
        free |= upper[3] << 16
    last = max(block_bitmap, inode_bitmap, inode_table + sb.inode_table_blocks - 1)
    first = min(block_bitmap, inode_bitmap, inode_table)
    if first < sb.layout.first_block or last >= sb.layout.blocks:
        raise SpaceUnknownError("A group of blocks keeps its records outside the file system.")
    uninit = sb.may_be_uninit and bool(flags & _BLOCK_UNINIT)
    return ExtGroup(descriptor, block_bitmap, inode_bitmap, inode_table, free, uninit)


def stored_bitmap(volume: VolumeWindow, sb: ExtSuperblock, group: ExtGroup) -> bytes:
    """A group's bitmap; zeros if it was never written."""
    length = sb.clusters_per_group // 8
    if group.uninit:
        return bytes(length)
    return volume.read(group.block_bitmap * sb.layout.block_size, length)


def _mark_doubtful(
    bitmap: ClusterBitmap, sb: ExtSuperblock, groups: list[ExtGroup], bitmaps: list[bytes]
) -> int:
    """Call all of a group used whose bitmap is in doubt; returns how many groups are."""
    doubtful = 0
    for number, (group, stored) in enumerate(zip(groups, bitmaps, strict=True)):
        first = number * sb.clusters_per_group
        count = min(sb.clusters_per_group, sb.clusters - first)
        fits = group.uninit or sb.layout.bitmap_fits(group.descriptor, stored)
        if not fits or count - bitmap.used(first, count) != group.free:
            bitmap.mark(first, count)
            doubtful += 1
    return doubtful


def _remarks(doubtful: int, groups: int) -> tuple[str, ...]:
    remark = (
        f"The bitmaps of {doubtful} of its {groups} groups of blocks are damaged. All of these"
        " groups is stored; e2fsck can repair the volume."
    )
    return (remark,) if doubtful else ()


def _mark(bitmap: ClusterBitmap, sb: ExtSuperblock, block: int, count: int) -> None:
    if count:
        first = (block - sb.layout.first_block) // sb.blocks_per_cluster
        last = (block + count - 1 - sb.layout.first_block) // sb.blocks_per_cluster
        last = min(last, sb.clusters - 1)
        bitmap.mark(first, last - first + 1)
