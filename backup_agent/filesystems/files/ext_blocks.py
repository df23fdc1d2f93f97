"""Where the blocks of an ext file lie: in a tree of extents, or in one of single blocks.

Extents (ext4), little endian: a node begins with u16 0xF30A, u16 entries, u16 room,
u16 depth. Entries are 12 bytes: at depth 0 u32 first block, u16 length (above 32768:
that much less, and not written yet), u16, u32 where (high, low); above it u32 first
block, u32, u16 where the next node is. A block of the tree ends, behind the room for
its entries, in a u32 checksum where the volume has them.

Single blocks: 12 numbers, then one of a block of numbers, one of a block of such
blocks, and one deeper. 0 is a hole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.crc32c import crc32c
from backup_agent.filesystems.files.ext_inode import Inode, InodeTable
from backup_agent.filesystems.files.runs import Run, Runs
from backup_agent.filesystems.files.volume_bytes import VolumeBytes

_EXTENT_MAGIC = 0xF30A
_DEEPEST = 5
_UNWRITTEN = 32768
_DIRECT = 12
_MOST_BLOCKS = 1 << 32


def file_runs(volume: VolumeBytes, inodes: InodeTable, inode: Inode) -> Runs:
    """As far as blocks are in use; holes between them, and what was never written, are zeros.

    Raises ``UnreadableError``.
    """
    block_size = inodes.block_size
    if inode.has_extents:
        tree = _ExtentTree(volume, block_size, inodes.seed(inode))
        return Runs(_runs(tree.extents(inode.block, None), block_size))
    needed = min(-(-inode.size // block_size), _MOST_BLOCKS)
    return Runs(_single_blocks(volume, block_size, inode.block, needed))


def _runs(extents: Iterator[tuple[int, int, int | None]], block_size: int) -> Iterator[Run]:
    """(first block of the file, blocks, where) as runs, with the holes between them."""
    done = 0
    for first, count, where in extents:
        if first < done:
            raise UnreadableError("Its extents overlap.")
        yield Run(None, (first - done) * block_size)
        yield Run(None if where is None else where * block_size, count * block_size)
        done = first + count


@dataclass(frozen=True, slots=True)
class _ExtentTree:
    """``seed``: what the checksums of its blocks begin with, if they have any."""

    volume: VolumeBytes
    block_size: int
    seed: int | None

    def extents(
        self, node: bytes, expected_depth: int | None
    ) -> Iterator[tuple[int, int, int | None]]:
        magic, entries, _, depth = struct.unpack_from("<HHHH", node)
        if (
            magic != _EXTENT_MAGIC
            or 12 + 12 * entries > len(node)
            or depth > _DEEPEST
            or depth != (depth if expected_depth is None else expected_depth)
        ):
            raise UnreadableError("Its tree of extents is damaged.")
        for place in range(12, 12 + 12 * entries, 12):
            if depth:
                _, low, high = struct.unpack_from("<IIH", node, place)
                yield from self.extents(self._child(low | high << 32), depth - 1)
            else:
                first, count, high, low = struct.unpack_from("<IHHI", node, place)
                written = count <= _UNWRITTEN
                where = low | high << 32
                yield first, count if written else count - _UNWRITTEN, where if written else None

    def _child(self, number: int) -> bytes:
        """A block of the tree; behind the room for its entries stands its checksum."""
        node = self.volume.exactly(number * self.block_size, self.block_size)
        (room,) = struct.unpack_from("<H", node, 4)
        body, told = node[: 12 + 12 * room], node[12 + 12 * room :][:4]
        if self.seed is not None and crc32c(self.seed, body) != int.from_bytes(told, "little"):
            raise UnreadableError("Its tree of extents is damaged: a checksum is wrong.")
        return node


def _single_blocks(
    volume: VolumeBytes, block_size: int, block: bytes, needed: int
) -> Iterator[Run]:
    numbers = struct.unpack("<15I", block)
    for number in numbers[: min(_DIRECT, needed)]:
        yield Run(number * block_size or None, block_size)
    left = max(needed - _DIRECT, 0)
    for level, number in enumerate(numbers[_DIRECT:], start=1):
        reach = min((block_size // 4) ** level, left)
        if reach:
            yield from _below(volume, block_size, number, level, reach)
            left -= reach


def _below(
    volume: VolumeBytes, block_size: int, number: int, level: int, needed: int
) -> Iterator[Run]:
    """The blocks that one block of numbers leads to, ``needed`` of them."""
    if not number:
        yield Run(None, needed * block_size)
        return
    each = (block_size // 4) ** (level - 1)
    table = volume.exactly(number * block_size, block_size)
    for (entry,) in struct.iter_unpack("<I", table):
        reach = min(each, needed)
        if not reach:
            return
        if level == 1:
            yield Run(entry * block_size or None, block_size)
        else:
            yield from _below(volume, block_size, entry, level - 1, reach)
        needed -= reach
