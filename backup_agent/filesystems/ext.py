"""ext2, ext3 and ext4: the superblock, 1024 bytes behind the volume's start.

Little endian: 24 u32 block size (1024 shifted by it), 56 u16 magic 0xEF53,
92, 96, 100 u32 compatible, incompatible and read-only features, 104 UUID,
120 label (16 bytes).
"""

from __future__ import annotations

import struct
import uuid

from backup_agent.filesystems.reading import SeekableReader, read_at
from backup_agent.model.disk import FileSystem, FileSystemKind

SUPERBLOCK = 1024
"""Where it stands in its volume."""
_MAGIC = 0xEF53
_HAS_JOURNAL = 0x4
_IS_JOURNAL_DEVICE = 0x8
# What ext3's own driver knows; one feature more makes it ext4 (as libblkid decides, too).
_EXT3_INCOMPATIBLE = 0x2 | 0x4 | 0x10  # filetype, needs recovery, meta_bg
_EXT3_READ_ONLY = 0x1 | 0x2 | 0x4  # sparse_super, large_file, btree_dir
_BIGALLOC = 0x200  # read-only


def has_clusters(superblock: bytes) -> bool:
    """Whether space is given out in clusters of blocks (bigalloc), as the first 104 bytes say."""
    (read_only,) = struct.unpack_from("<I", superblock, 100)
    return bool(read_only & _BIGALLOC)


def recognise_ext(reader: SeekableReader, start: int) -> FileSystem | None:
    """What the superblock of the volume at ``start`` says; ``None`` if there is none."""
    block = read_at(reader, start + SUPERBLOCK, 1024)
    if len(block) < 1024 or struct.unpack_from("<H", block, 56) != (_MAGIC,):
        return None
    (shift,) = struct.unpack_from("<I", block, 24)
    compatible, incompatible, read_only = struct.unpack_from("<III", block, 92)
    if shift > 6 or incompatible & _IS_JOURNAL_DEVICE:
        return None
    if incompatible & ~_EXT3_INCOMPATIBLE or read_only & ~_EXT3_READ_ONLY:
        kind = FileSystemKind.EXT4
    else:
        kind = FileSystemKind.EXT3 if compatible & _HAS_JOURNAL else FileSystemKind.EXT2
    label = block[120:136].partition(b"\0")[0].decode("utf-8", errors="replace")
    return FileSystem(kind, label, str(uuid.UUID(bytes=block[104:120])), 1024 << shift)
