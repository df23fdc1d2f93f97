"""The blocks of an ext volume that are in use: a file has no others.

A backup leaves free blocks out, and they come back as zeros. A file that points to
one is damaged, and its content is not there: it fails, instead of reading as zeros.
Which are free is asked of each group's bitmap as ``used.ext_groups`` does, when a
block of that group is read; where a bitmap was not believed, all was stored.
"""

from __future__ import annotations

from backup_agent.errors import SpaceUnknownError, UnreadableError
from backup_agent.filesystems.files.volume_bytes import VolumeBytes
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.ext_groups import (
    ExtSuperblock,
    read_group,
    read_superblock,
    stored_bitmap,
)
from backup_agent.filesystems.used.volume_window import VolumeWindow


class AllocatedBlocks:
    """A volume's bytes, but those in free blocks."""

    def __init__(self, volume: VolumeBytes) -> None:
        self._volume = volume
        self._whole = VolumeWindow(volume, 0, volume.size)
        self._bitmaps: dict[int, ClusterBitmap | None] = {}
        self._superblock: ExtSuperblock | None
        try:
            self._superblock = read_superblock(self._whole)
        except SpaceUnknownError:
            # All of it was stored.
            self._superblock = None

    def exactly(self, offset: int, size: int) -> bytes:
        """Raises ``UnreadableError`` for bytes in a free block, or behind the volume's end."""
        if self._superblock is not None and size:
            self._refuse_free(self._superblock, offset, size)
        return self._volume.exactly(offset, size)

    def _refuse_free(self, sb: ExtSuperblock, offset: int, size: int) -> None:
        origin = sb.layout.first_block * sb.layout.block_size
        cluster_size = sb.blocks_per_cluster * sb.layout.block_size
        first = (offset - origin) // cluster_size
        last = min((offset + size - 1 - origin) // cluster_size, sb.clusters - 1)
        while 0 <= first <= last:
            group, within = divmod(first, sb.clusters_per_group)
            count = min(sb.clusters_per_group - within, last + 1 - first)
            bitmap = self._bitmap(sb, group)
            if bitmap is not None and not bitmap.has_all(within, count):
                raise UnreadableError(
                    "It points to blocks that the file system calls free: its content is lost.",
                    hint="e2fsck can tell more of the volume. An older restore point may hold"
                    " the file whole.",
                )
            first += count

    def _bitmap(self, sb: ExtSuperblock, group: int) -> ClusterBitmap | None:
        if group not in self._bitmaps:
            self._bitmaps[group] = self._believed(sb, group)
        return self._bitmaps[group]

    def _believed(self, sb: ExtSuperblock, number: int) -> ClusterBitmap | None:
        try:
            group = read_group(self._whole, sb, number)
            stored = stored_bitmap(self._whole, sb, group)
        except SpaceUnknownError:
            return None
        count = min(sb.clusters_per_group, sb.clusters - number * sb.clusters_per_group)
        bitmap = ClusterBitmap(count, stored)
        if group.uninit:
            return bitmap
        fits = sb.layout.bitmap_fits(group.descriptor, stored)
        return bitmap if fits and count - bitmap.used(0, count) == group.free else None
