"""Which bytes of a volume hold anything: one bit a cluster, as most file systems keep it.

A bitmap costs the same however fragmented a volume is (32 MiB a terabyte, in
clusters of 4 KiB), where a list of extents could outgrow the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.model.disk import Extent

_NONZERO = re.compile(rb"[^\0]")
# Shifting bits off a long integer copies all of it: runs are looked for in short ones.
_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class UsedSpace:
    """Bit ``i`` of ``bitmap``, the lowest of each byte first, says whether cluster ``i`` is used.

    Cluster 0 starts at byte ``origin`` of the volume. All that lies before it
    (boot sectors, allocation tables) and behind the last cluster (NTFS's second
    boot sector, what a partition has more than its file system) counts as used.
    ``size`` is the volume's. Bits behind the last cluster are 0.
    """

    size: int
    origin: int
    cluster_size: int
    clusters: int
    bitmap: bytes

    @property
    def used_clusters(self) -> int:
        return int.from_bytes(self.bitmap, "little").bit_count()

    @property
    def used_bytes(self) -> int:
        around = self.size - self.clusters * self.cluster_size
        return around + self.used_clusters * self.cluster_size

    def next_used(self, position: int) -> int:
        """The first used byte from ``position`` on; the volume's size if there is none."""
        if position < self.origin or position >= self._end:
            return min(position, self.size)
        cluster = (position - self.origin) // self.cluster_size
        rest = self.bitmap[cluster >> 3] >> (cluster & 7)
        if rest & 1:
            return position
        if rest:
            return self._place(cluster + _lowest_bit(rest))
        byte = _NONZERO.search(self.bitmap, (cluster >> 3) + 1)
        if byte is None:
            return self._end
        return self._place(8 * byte.start() + _lowest_bit(self.bitmap[byte.start()]))

    def extents(self, start: int, end: int) -> Iterator[Extent]:
        """The used bytes from ``start`` to ``end``, in order; neighbours may touch."""
        if start < self.origin:
            yield Extent(start, min(end, self.origin) - start)
        first = max(start - self.origin, 0) // self.cluster_size
        last = -(-min(end - self.origin, self._end - self.origin) // self.cluster_size)
        for window in range(first, last, _WINDOW):
            for cluster, count in self._runs(window, min(window + _WINDOW, last)):
                low = max(self._place(cluster), start)
                high = min(self._place(cluster + count), end)
                yield Extent(low, high - low)
        if end > self._end:
            low = max(start, self._end)
            yield Extent(low, end - low)

    @property
    def _end(self) -> int:
        return self._place(self.clusters)

    def _place(self, cluster: int) -> int:
        return self.origin + cluster * self.cluster_size

    def _runs(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Runs of used clusters from ``first`` to before ``last``: where, and how many."""
        piece = self.bitmap[first >> 3 : (last + 7) >> 3]
        bits = (int.from_bytes(piece, "little") >> (first & 7)) & ((1 << (last - first)) - 1)
        cluster = first
        while bits:
            free = _lowest_bit(bits)
            bits >>= free
            used = _lowest_bit(~bits)
            bits >>= used
            yield cluster + free, used
            cluster += free + used


def _lowest_bit(number: int) -> int:
    """How many zero bits stand below the lowest one that is set."""
    return (number & -number).bit_length() - 1
