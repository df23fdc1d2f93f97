"""exFAT: the allocation bitmap, a file that the root folder names by an entry of type 0x81.

The entry: 0 u8 0x81, 1 u8 flags (bit 0: which bitmap), 20 u32 first cluster,
24 u64 length. Source: Microsoft's exFAT specification.

It is believed where it says *used*. Where it says *free*, all folders are asked, too:
a cluster that a file lies in is stored, whatever the bitmap says.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.exfat_folders import clusters_in_files
from backup_agent.filesystems.used.exfat_volume import FIRST_CLUSTER, ExfatVolume
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.used_space import UsedSpace

_BITMAP_ENTRY = 0x81
_ENTRY_SIZE = 32
# The bitmap's entry is among the root folder's first; a chain that goes on longer is a lie.
_MOST_ROOT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class ExfatSpace:
    """``remarks`` say what was found wrong."""

    space: UsedSpace
    remarks: tuple[str, ...]


def exfat_space(volume: VolumeWindow) -> ExfatSpace:
    """The clusters in the bitmap that counts. Raises :class:`SpaceUnknownError`."""
    exfat = ExfatVolume(volume)
    bitmap = _bitmap(exfat)
    forgotten = sum(bitmap.mark(cluster - FIRST_CLUSTER, 1) for cluster in clusters_in_files(exfat))
    remark = (
        f"Its allocation bitmap calls {forgotten} clusters free that files lie in. They are"
        " stored; chkdsk can repair the volume."
    )
    space = bitmap.space(size=volume.size, origin=exfat.heap_start, cluster_size=exfat.cluster_size)
    return ExfatSpace(space, (remark,) if forgotten else ())


def _bitmap(exfat: ExfatVolume) -> ClusterBitmap:
    first, length = _bitmap_entry(exfat)
    needed = (exfat.clusters + 7) // 8
    if length < needed:
        raise SpaceUnknownError("Its allocation bitmap is too short for its clusters.")
    data = exfat.read(exfat.chain(first, needed))
    if len(data) < needed:
        raise SpaceUnknownError("Its allocation bitmap ends too early.")
    return ClusterBitmap(exfat.clusters, data)


def _bitmap_entry(exfat: ExfatVolume) -> tuple[int, int]:
    """First cluster and length of the bitmap that counts."""
    root = exfat.read(exfat.chain(exfat.root, _MOST_ROOT_BYTES))
    for place in range(0, len(root), _ENTRY_SIZE):
        kind, flags, first, length = struct.unpack_from("<BB18xIQ", root, place)
        if kind == 0:
            break
        if kind == _BITMAP_ENTRY and bool(flags & 1) == exfat.second_counts:
            return first, length
    raise SpaceUnknownError("Its root folder names no allocation bitmap.")
