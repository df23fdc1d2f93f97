"""Linux swap: only its header is worth keeping."""

from __future__ import annotations

from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.used_space import UsedSpace


def swap_space(volume: VolumeWindow, page_size: int) -> UsedSpace:
    """The first page of a swap area; what lies in the others means nothing after a restart."""
    pages = volume.size // page_size
    bitmap = ClusterBitmap(pages, bytes((pages + 7) // 8))
    bitmap.mark(0, 1)
    return bitmap.space(size=volume.size, origin=0, cluster_size=page_size)
