"""exFAT: the allocation bitmap, a file that the root folder names by an entry of type 0x81.

The boot sector, little endian: 80 u32 first sector of the table, 84 u32 its
sectors, 88 u32 first sector of the clusters, 92 u32 how many, 96 u32 root
cluster, 106 u16 flags (bit 0: the second table and bitmap count; bit 1: not
unmounted cleanly), 108 u8 and 109 u8 sector and cluster size as powers of two.
The entry: 0 u8 0x81, 1 u8 flags (bit 0: which bitmap), 20 u32 first cluster,
24 u64 length. Clusters count from 2. Source: Microsoft's exFAT specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.volume_bytes import VolumeBytes
from backup_agent.model.used_space import UsedSpace

_BITMAP_ENTRY = 0x81
_ENTRY_SIZE = 32
_FIRST_CLUSTER = 2
_MOST_CLUSTERS = 0xFFFFFFF5
_SECOND_COUNTS = 0x1
_DIRTY = 0x2
# The bitmap's entry is among the root folder's first; a chain that goes on longer is a lie.
_MOST_ROOT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Geometry:
    """Places and sizes in bytes from the volume's start."""

    table_start: int
    heap_start: int
    cluster_size: int
    clusters: int
    root: int
    second_counts: bool

    def place(self, cluster: int) -> int:
        if not _FIRST_CLUSTER <= cluster < self.clusters + _FIRST_CLUSTER:
            raise SpaceUnknownError(f"It points to cluster {cluster}, which it has not.")
        return self.heap_start + (cluster - _FIRST_CLUSTER) * self.cluster_size


def exfat_space(volume: VolumeBytes) -> UsedSpace:
    """The clusters in the bitmap that counts. Raises :class:`SpaceUnknownError`."""
    geometry = _geometry(volume.read(0, 512))
    first, length = _bitmap_entry(volume, geometry)
    needed = (geometry.clusters + 7) // 8
    if length < needed:
        raise SpaceUnknownError("Its allocation bitmap is too short for its clusters.")
    pieces: list[bytes] = []
    own: list[int] = list(_chain(volume, geometry, geometry.root, most=_MOST_ROOT_BYTES))
    for cluster in _chain(volume, geometry, first, most=needed):
        pieces.append(volume.read(geometry.place(cluster), geometry.cluster_size))
        own.append(cluster)
    data = b"".join(pieces)
    if len(data) < needed:
        raise SpaceUnknownError("Its allocation bitmap ends too early.")
    bitmap = ClusterBitmap(geometry.clusters, data)
    if not all(bitmap.has_all(cluster - _FIRST_CLUSTER, 1) for cluster in own):
        raise SpaceUnknownError("Its allocation bitmap calls its own clusters free.")
    return bitmap.space(
        size=volume.size, origin=geometry.heap_start, cluster_size=geometry.cluster_size
    )


def _geometry(boot: bytes) -> _Geometry:
    table_sector, _, heap_sector, clusters, root = struct.unpack_from("<IIIII", boot, 80)
    (flags, sector_shift, cluster_shift) = struct.unpack_from("<HBB", boot, 106)
    if flags & _DIRTY:
        raise SpaceUnknownError("It was not unmounted cleanly.")
    if clusters > _MOST_CLUSTERS:
        raise SpaceUnknownError("It claims more clusters than there can be.")
    return _Geometry(
        table_start=table_sector << sector_shift,
        heap_start=heap_sector << sector_shift,
        cluster_size=1 << sector_shift + cluster_shift,
        clusters=clusters,
        root=root,
        second_counts=bool(flags & _SECOND_COUNTS),
    )


def _bitmap_entry(volume: VolumeBytes, geometry: _Geometry) -> tuple[int, int]:
    """First cluster and length of the bitmap that counts."""
    for cluster in _chain(volume, geometry, geometry.root, most=_MOST_ROOT_BYTES):
        folder = volume.read(geometry.place(cluster), geometry.cluster_size)
        for place in range(0, len(folder), _ENTRY_SIZE):
            kind, flags, first, length = struct.unpack_from("<BB18xIQ", folder, place)
            if kind == 0:
                raise SpaceUnknownError("Its root folder names no allocation bitmap.")
            if kind == _BITMAP_ENTRY and bool(flags & 1) == geometry.second_counts:
                return first, length
    raise SpaceUnknownError("Its root folder names no allocation bitmap.")


def _chain(volume: VolumeBytes, geometry: _Geometry, first: int, *, most: int) -> Iterator[int]:
    """A file's clusters in order, as many as hold ``most`` bytes: a chain may run in a circle."""
    cluster = first
    for _ in range(-(-most // geometry.cluster_size)):
        geometry.place(cluster)
        yield cluster
        (cluster,) = struct.unpack("<I", volume.read(geometry.table_start + 4 * cluster, 4))
        if cluster >= 0xFFFFFFF8:
            return
