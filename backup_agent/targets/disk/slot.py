"""A volume's place on the target: written in any order, but its start last."""

from __future__ import annotations

from backup_agent.host.api import WritableDisk
from backup_agent.model.disk import Extent
from backup_agent.targets.disk.planner import START_BYTES

# Fewer and larger orders to zero are quicker; above this nothing is gained.
_MOST_ZEROS = 64 << 20


class VolumeSlot:
    """Offsets count from the volume's start. Its first MiB is kept in memory until :meth:`finish`.

    Until then no file system is recognised there.
    """

    def __init__(self, disk: WritableDisk, place: Extent, sector_size: int) -> None:
        self._disk = disk
        self._place = place
        self._sector_size = sector_size
        self._start: dict[int, bytes] = {}
        self._zeros: Extent | None = None

    def write(self, offset: int, data: bytes) -> None:
        held = max(0, min(START_BYTES - offset, len(data)))
        if held:
            self._start[offset] = data[:held]
        if held < len(data):
            self._disk.write(self._place.start + offset + held, memoryview(data)[held:])

    def zero(self, offset: int, size: int) -> None:
        """Runs that follow each other become one order; :meth:`settle` gives the last."""
        held = max(0, min(START_BYTES - offset, size))
        if held:
            self._start[offset] = bytes(held)
        offset, size = offset + held, size - held
        if not size:
            return
        pending = self._zeros
        if pending and pending.end == offset and pending.size < _MOST_ZEROS:
            self._zeros = Extent(pending.start, pending.size + size)
            return
        self.settle()
        self._zeros = Extent(offset, size)

    def settle(self) -> None:
        if self._zeros:
            self._disk.zero(self._place.start + self._zeros.start, self._zeros.size)
        self._zeros = None

    def read(self, offset: int, size: int) -> bytes:
        """What the target holds now, not what is kept back."""
        return self._disk.read(self._place.start + offset, size)

    def finish(self) -> None:
        """Write the start: the first sector, by which a file system is known, at the very end."""
        self.settle()
        for offset in sorted(self._start, reverse=True):
            data = self._start[offset]
            first = self._sector_size if offset == 0 else 0
            place, rest = self._place.start + offset + first, memoryview(data)[first:]
            if any(rest):
                self._disk.write(place, rest)
            else:
                self._disk.zero(place, len(rest))
            if first:
                self._disk.flush()
                self._disk.write(self._place.start, memoryview(data)[:first])
