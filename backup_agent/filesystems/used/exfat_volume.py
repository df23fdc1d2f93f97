"""exFAT's clusters, and the chains that its table makes of them.

The boot sector, little endian: 80 u32 first sector of the table, 84 u32 its
sectors, 88 u32 first sector of the clusters, 92 u32 how many, 96 u32 root
cluster, 106 u16 flags (bit 0: the second table and bitmap count; bit 1: not
unmounted cleanly), 108 u8 and 109 u8 sector and cluster size as powers of two.
Clusters count from 2. Source: Microsoft's exFAT specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from backup_agent.errors import SpaceUnknownError, UncleanVolumeError
from backup_agent.filesystems.used.volume_window import VolumeWindow

FIRST_CLUSTER = 2
_MOST_CLUSTERS = 0xFFFFFFF5
_LAST = 0xFFFFFFF8
_SECOND_COUNTS = 0x1
_DIRTY = 0x2
# Chains mostly run forward: a piece of the table serves thousands of steps.
_PIECE = 64 << 10


class ExfatVolume:
    """Places and sizes in bytes from the volume's start. ``root``: the root folder's cluster."""

    def __init__(self, volume: VolumeWindow) -> None:
        """Raises :class:`SpaceUnknownError`."""
        boot = volume.read(0, 512)
        table_sector, _, heap_sector, clusters, self.root = struct.unpack_from("<IIIII", boot, 80)
        flags, sector_shift, cluster_shift = struct.unpack_from("<HBB", boot, 106)
        if flags & _DIRTY:
            raise UncleanVolumeError("It was not unmounted cleanly.")
        if clusters > _MOST_CLUSTERS or sector_shift + cluster_shift > 25:
            raise SpaceUnknownError("Its boot sector makes no sense.")
        self.clusters: int = clusters
        self.heap_start: int = heap_sector << sector_shift
        self.cluster_size: int = 1 << sector_shift + cluster_shift
        self.second_counts = bool(flags & _SECOND_COUNTS)
        self._table_start: int = table_sector << sector_shift
        self._volume = volume
        self._piece_start, self._piece = -1, b""

    def read(self, clusters: Iterator[int] | range) -> bytes:
        """What stands in them."""
        return b"".join(
            self._volume.read(self._place(cluster), self.cluster_size) for cluster in clusters
        )

    def row(self, first: int, size: int) -> range:
        """The clusters of ``size`` bytes in one piece."""
        count = -(-size // self.cluster_size)
        if first < FIRST_CLUSTER or first + count > self.clusters + FIRST_CLUSTER:
            raise SpaceUnknownError(f"It points to cluster {first + count}, which it has not.")
        return range(first, first + count)

    def chain(self, first: int, size: int) -> Iterator[int]:
        """Clusters in order, as many as hold ``size`` bytes: a chain may run in a circle."""
        cluster = first
        for _ in range(min(-(-size // self.cluster_size), self.clusters)):
            self._place(cluster)
            yield cluster
            cluster = self._next(cluster)
            if cluster >= _LAST:
                return

    def _place(self, cluster: int) -> int:
        if not FIRST_CLUSTER <= cluster < self.clusters + FIRST_CLUSTER:
            raise SpaceUnknownError(f"It points to cluster {cluster}, which it has not.")
        return self.heap_start + (cluster - FIRST_CLUSTER) * self.cluster_size

    def _next(self, cluster: int) -> int:
        start, within = divmod(4 * cluster, _PIECE)
        if start != self._piece_start:
            end = 4 * (self.clusters + FIRST_CLUSTER)
            length = min(_PIECE, end - start * _PIECE)
            self._piece = self._volume.read(self._table_start + start * _PIECE, length)
            self._piece_start = start
        return int.from_bytes(self._piece[within : within + 4], "little")
