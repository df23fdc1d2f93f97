"""Where ext2, ext3 and ext4 keep the descriptors of their groups, and what guards them.

The superblock, little endian: 4 u32 and 0x150 u32 blocks, 20 u32 first data
block, 24 u32 block size (1024 shifted by it), 32 u32 blocks per group, 92/96/100
u32 features, 104 UUID, 206 u16 blocks reserved for the descriptors to grow, 254
u16 descriptor size, 260 u32 first meta group, 0x24C two u32 groups with copies
(sparse_super2), 0x270 u32 what checksums begin with (csum_seed), 0x3FC u32 its own checksum.
A descriptor with checksums: 24 u16 (0x38 its upper half) that of the block
bitmap, 30 u16 its own. An inode: 100 u32 generation, 124 u16 (130 its upper half)
checksum. Source: the kernel's documentation of ext4's disk layout.

Checksums are CRC-32C (metadata_csum). Before that there was one for descriptors alone, CRC-16
over the UUID, the group's number and the descriptor (uninit_bg).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backup_agent.filesystems.crc16 import crc16
from backup_agent.filesystems.crc32c import crc32c

_SPARSE_SUPER2 = 0x200  # compatible
_META_BG, _64BIT, _CSUM_SEED = 0x10, 0x80, 0x2000  # incompatible
_SPARSE_SUPER, _GROUP_SUMS, _METADATA_SUMS = 0x1, 0x10, 0x400  # read-only
_SUPERBLOCK_SUM = 0x3FC
_SUM_PLACE = 30
_BITMAP_SUM_PLACE, _BITMAP_SUM_UPPER = 24, 0x38
_OLD_INODE_SIZE = 128
_GENERATION, _INODE_SUM, _INODE_SUM_UPPER = 100, 124, 130
_LARGEST_SHIFT = 6


@dataclass(frozen=True, slots=True)
class ExtLayout:
    """Sizes in bytes where they say so, else in blocks."""

    blocks: int
    first_block: int
    block_size: int
    blocks_per_group: int
    descriptor_size: int
    reserved_descriptor_blocks: int
    first_meta_group: int | None
    groups_with_copies: tuple[int, int] | None
    """The only two besides group 0; ``None`` without sparse_super2."""
    sparse: bool
    checksum_seed: int | None
    """What the checksums of all records begin with; ``None`` where there are none."""
    group_seed: int | None
    """The same of descriptors that have the older kind of checksum."""
    superblock_fits: bool
    """Whether the checksum of what this came out of is right; where it has none, it is."""

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

    def descriptor_block(self, number: int) -> int:
        """Where the block with the descriptors of the ``number``-th so many groups stands."""
        if self.first_meta_group is None or number < self.first_meta_group:
            return self.first_block + self._behind_boot(0) + 1 + number
        group = number * self.descriptors_per_block
        return self.group_start(group) + self._behind_boot(group) + self.has_copy(group)

    def fixed_blocks(self, group: int) -> int:
        """How many blocks at a group's start hold copies of superblock and descriptors."""
        copy = self.has_copy(group)
        meta_block = group // self.descriptors_per_block
        if self.first_meta_group is None or meta_block < self.first_meta_group:
            if not copy:
                return 0
            old = self.descriptor_blocks if self.first_meta_group is None else self.first_meta_group
            return self._behind_boot(group) + 1 + old + self.reserved_descriptor_blocks
        # A meta group's descriptors stand in its first, second and last group.
        place = group % self.descriptors_per_block
        return self._behind_boot(group) + copy + (place in (0, 1, self.descriptors_per_block - 1))

    def descriptor_fits(self, group: int, descriptor: bytes) -> bool:
        """Whether its checksum is right; where there are none, it is."""
        (told,) = struct.unpack_from("<H", descriptor, _SUM_PLACE)
        own = struct.pack("<I", group)
        before, behind = descriptor[:_SUM_PLACE], descriptor[_SUM_PLACE + 2 :]
        if self.checksum_seed is not None:
            blank = own + before + b"\0\0" + behind
            return bool(crc32c(self.checksum_seed, blank) & 0xFFFF == told)
        if self.group_seed is not None:
            return bool(crc16(self.group_seed, own + before + behind) == told)
        return True

    def bitmap_fits(self, descriptor: bytes, bitmap: bytes) -> bool:
        """Whether a group's bitmap of blocks is the one its descriptor has the checksum of."""
        if self.checksum_seed is None:
            return True
        (told,) = struct.unpack_from("<H", descriptor, _BITMAP_SUM_PLACE)
        mask = 0xFFFF
        if len(descriptor) >= _BITMAP_SUM_UPPER + 2:
            told |= struct.unpack_from("<H", descriptor, _BITMAP_SUM_UPPER)[0] << 16
            mask = 0xFFFFFFFF
        return bool(crc32c(self.checksum_seed, bitmap) & mask == told)

    def inode_seed(self, number: int, raw: bytes) -> int | None:
        """What the checksums of an inode's own records begin with; ``None`` without any."""
        if self.checksum_seed is None:
            return None
        register = crc32c(self.checksum_seed, struct.pack("<I", number))
        return crc32c(register, raw[_GENERATION : _GENERATION + 4])

    def inode_fits(self, number: int, raw: bytes) -> bool:
        """Whether its checksum is right; the upper half is there if the inode has the room."""
        seed = self.inode_seed(number, raw)
        if seed is None:
            return True
        blank = bytearray(raw)
        blank[_INODE_SUM : _INODE_SUM + 2] = b"\0\0"
        (told,) = struct.unpack_from("<H", raw, _INODE_SUM)
        mask = 0xFFFF
        if len(raw) > _OLD_INODE_SIZE and struct.unpack_from("<H", raw, _OLD_INODE_SIZE)[0] >= 4:
            blank[_INODE_SUM_UPPER : _INODE_SUM_UPPER + 2] = b"\0\0"
            told |= struct.unpack_from("<H", raw, _INODE_SUM_UPPER)[0] << 16
            mask = 0xFFFFFFFF
        return bool(crc32c(seed, bytes(blank)) & mask == told)

    def _behind_boot(self, group: int) -> int:
        """Block 0 of 1 KiB is the boot block, the superblock follows; bigalloc counts from 0 all
        the same, where others have 1 as their first block.
        """
        return 1 if group == 0 and self.block_size == 1024 and self.first_block == 0 else 0


def parse_layout(superblock: bytes) -> ExtLayout | None:
    """Out of a superblock's 1024 bytes; ``None`` if they make no sense."""
    blocks, first_block, shift = struct.unpack_from("<4xI12xII", superblock)
    (blocks_per_group,) = struct.unpack_from("<I", superblock, 32)
    compatible, incompatible, read_only = struct.unpack_from("<III", superblock, 92)
    (reserved,) = struct.unpack_from("<H", superblock, 206)
    descriptor_size, first_meta = struct.unpack_from("<H4xI", superblock, 254)
    if not incompatible & _64BIT:
        descriptor_size = 32
    else:
        blocks |= struct.unpack_from("<I", superblock, 0x150)[0] << 32
    if (
        shift > _LARGEST_SHIFT
        or first_block > 1
        or blocks <= first_block
        or not blocks_per_group
        or not 32 <= descriptor_size <= 1024
        or descriptor_size & (descriptor_size - 1)
    ):
        return None
    copies = struct.unpack_from("<II", superblock, 0x24C)
    return ExtLayout(
        blocks=blocks,
        first_block=first_block,
        block_size=1024 << shift,
        blocks_per_group=blocks_per_group,
        descriptor_size=descriptor_size,
        reserved_descriptor_blocks=reserved,
        first_meta_group=first_meta if incompatible & _META_BG else None,
        groups_with_copies=copies if compatible & _SPARSE_SUPER2 else None,
        sparse=bool(read_only & _SPARSE_SUPER),
        checksum_seed=_seed(superblock, incompatible) if read_only & _METADATA_SUMS else None,
        group_seed=crc16(0xFFFF, superblock[104:120]) if read_only & _GROUP_SUMS else None,
        superblock_fits=not read_only & _METADATA_SUMS or _has_right_sum(superblock),
    )


def _seed(superblock: bytes, incompatible: int) -> int:
    if incompatible & _CSUM_SEED:
        return int.from_bytes(superblock[0x270:0x274], "little")
    return crc32c(0xFFFFFFFF, superblock[104:120])


def _has_right_sum(superblock: bytes) -> bool:
    told = int.from_bytes(superblock[_SUPERBLOCK_SUM:1024], "little")
    return bool(crc32c(0xFFFFFFFF, superblock[:_SUPERBLOCK_SUM]) == told)


def _is_power(number: int, base: int) -> bool:
    while number % base == 0:
        number //= base
    return number == 1
