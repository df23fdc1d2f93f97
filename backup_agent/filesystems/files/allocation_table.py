"""Chains of clusters in the allocation table of a FAT or exFAT volume."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import UnreadableError
from backup_agent.filesystems.files.runs import Run
from backup_agent.filesystems.files.volume_bytes import VolumeBytes

_PIECE = 3 << 14
"""Bytes of a table read at once: no entry of 12, 16 or 32 bits lies across two pieces."""
_MOST_PIECES = 64
_FIRST_CLUSTER = 2


@dataclass(frozen=True, slots=True)
class ClusterLayout:
    """Places and sizes in bytes from the volume's start; clusters count from 2.

    ``entry_bits``: 12, 16, 28 (FAT32, which keeps them in 32) or 32 (exFAT).
    """

    table_start: int
    entry_bits: int
    clusters_start: int
    cluster_size: int
    clusters: int

    def place(self, cluster: int) -> int:
        """Where a cluster begins. Raises ``UnreadableError`` for one that is not there."""
        if not _FIRST_CLUSTER <= cluster < _FIRST_CLUSTER + self.clusters:
            raise UnreadableError(f"The file system points to cluster {cluster}, which is none.")
        return self.clusters_start + (cluster - _FIRST_CLUSTER) * self.cluster_size


class AllocationTable:
    """Which cluster comes after which. Raises ``UnreadableError`` for chains that are none."""

    def __init__(self, volume: VolumeBytes, layout: ClusterLayout) -> None:
        self._volume = volume
        self._layout = layout
        self._last = (1 << layout.entry_bits) - 8
        self._stored_bits = 32 if layout.entry_bits == 28 else layout.entry_bits
        self._pieces: OrderedDict[int, bytes] = OrderedDict()

    def chain(self, first: int) -> Iterator[Run]:
        """The clusters of a file, from its first one on."""
        cluster, steps = first, 0
        while True:
            yield Run(self._layout.place(cluster), self._layout.cluster_size)
            steps += 1
            if steps > self._layout.clusters:
                raise UnreadableError("Its chain of clusters runs in a circle.")
            cluster = self.next(cluster)
            if cluster >= self._last:
                return

    def contiguous(self, first: int, size: int) -> Iterator[Run]:
        """The clusters of a file that lies in one piece and has no chain (exFAT)."""
        count = -(-size // self._layout.cluster_size)
        if count:
            start = self._layout.place(first)
            self._layout.place(first + count - 1)
            yield Run(start, count * self._layout.cluster_size)

    def next(self, cluster: int) -> int:
        """The table's entry for a cluster, as it stands there."""
        bit = cluster * self._stored_bits
        number, within = divmod(bit // 8, _PIECE)
        piece = self._piece(number)
        if self._stored_bits == 12:
            pair = int.from_bytes(piece[within : within + 2], "little")
            return pair >> 4 if bit % 8 else pair & 0xFFF
        entry = int.from_bytes(piece[within : within + self._stored_bits // 8], "little")
        return entry & ((1 << self._layout.entry_bits) - 1)

    def _piece(self, number: int) -> bytes:
        piece = self._pieces.get(number)
        if piece is None:
            whole = (_FIRST_CLUSTER + self._layout.clusters) * self._stored_bits
            size = min(_PIECE, -(-whole // 8) - number * _PIECE)
            piece = self._volume.exactly(self._layout.table_start + number * _PIECE, size)
            self._pieces[number] = piece
            if len(self._pieces) > _MOST_PIECES:
                self._pieces.popitem(last=False)
        return piece
