"""A bitmap of clusters while it is being put together."""

from __future__ import annotations

from backup_agent.errors import SpaceUnknownError
from backup_agent.model.used_space import UsedSpace


class ClusterBitmap:
    """Bit ``i`` (lowest first in each byte) stands for cluster ``i``: 1 is used."""

    def __init__(self, clusters: int, bits: bytes) -> None:
        """``bits`` may be longer than ``clusters``, as stored bitmaps are, but no shorter."""
        assert len(bits) * 8 >= clusters
        self.clusters = clusters
        self._bits = bytearray(bits[: (clusters + 7) // 8])
        if clusters % 8:
            self._bits[-1] &= (1 << clusters % 8) - 1

    @classmethod
    def from_flags(cls, flags: bytes) -> ClusterBitmap:
        """Of one byte a cluster: 0 is free, 1 is used."""
        length = (len(flags) + 7) // 8
        bits = 0
        for place in range(8):
            # Every eighth flag is the same bit of successive bytes.
            column = flags[place::8].ljust(length, b"\0")
            bits |= int.from_bytes(column, "little") << place
        return cls(len(flags), bits.to_bytes(length, "little"))

    def mark(self, first: int, count: int) -> int:
        """Call clusters used; returns how many of them were free until now."""
        low, high = first >> 3, (first + count + 7) >> 3
        old = int.from_bytes(self._bits[low:high], "little")
        new = old | ((1 << count) - 1) << (first & 7)
        if new == old:
            return 0
        self._bits[low:high] = new.to_bytes(high - low, "little")
        return (new ^ old).bit_count()

    def clear(self, first: int, count: int) -> int:
        """Call clusters free; returns how many of them were used until now."""
        low, high = first >> 3, (first + count + 7) >> 3
        old = int.from_bytes(self._bits[low:high], "little")
        new = old & ~(((1 << count) - 1) << (first & 7))
        self._bits[low:high] = new.to_bytes(high - low, "little")
        return (new ^ old).bit_count()

    def has_all(self, first: int, count: int) -> bool:
        """Whether all of these clusters are used."""
        low, high = first >> 3, (first + count + 7) >> 3
        mask = ((1 << count) - 1) << (first & 7)
        return int.from_bytes(self._bits[low:high], "little") & mask == mask

    def used(self, first: int, count: int) -> int:
        """How many of these clusters are used."""
        low, high = first >> 3, (first + count + 7) >> 3
        mask = ((1 << count) - 1) << (first & 7)
        return (int.from_bytes(self._bits[low:high], "little") & mask).bit_count()

    def space(self, *, size: int, origin: int, cluster_size: int) -> UsedSpace:
        """The finished account of a volume of ``size`` bytes; cluster 0 starts at ``origin``.

        Raises :class:`SpaceUnknownError` where the clusters would leave the volume.
        """
        if origin + self.clusters * cluster_size > size:
            raise SpaceUnknownError("It claims to be larger than its volume is.")
        return UsedSpace(size, origin, cluster_size, self.clusters, bytes(self._bits))
