"""A volume brought to another size on its very place, where the system makes block devices.

What of the volume fits its place is written there; the tool is then shown the
whole volume (:mod:`~.joined_volume`), and works on the target itself. A volume
that grows just has no tail. Before the target is touched the tool is asked, on
a device that is all restore point, whether it will do it; what it writes there
is kept in memory and forgotten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from backup_agent.filesystems.boot_sector import Patch
from backup_agent.host.api import Host
from backup_agent.model.ids import BlobId
from backup_agent.targets.disk.joined_volume import Bytes, HeldBytes, JoinedVolume, Overlay
from backup_agent.targets.disk.planner import START_BYTES
from backup_agent.targets.disk.reshape import Tell
from backup_agent.targets.disk.resize_tools import rehearse_resize, resize_file_system
from backup_agent.targets.disk.slot import VolumeSlot
from backup_agent.targets.disk.stored import StoredBlob, VolumeContent

# Tools read in small steps, and move a few files at a time.
_CACHED_BLOBS = 16


class JoinedReshaper:
    """Without a scratch file, and with little memory: for hosts that offer block devices."""

    def __init__(self, host: Host, sector_size: int) -> None:
        self._host = host
        self._sector_size = sector_size

    def resize(self, content: VolumeContent, size: int, tell: Tell) -> ResizedInPlace:
        """As :class:`~.reshape.Reshaper` says: what may fail is tried, nothing is written."""
        volume = content.volume
        stored = Overlay(StoredTail(content, 0, tell).read)
        whole = JoinedVolume((max(size, volume.size), stored), sector_size=self._sector_size)
        with self._host.block_device(whole) as device:
            rehearse_resize(Path(device), volume, size)
        return ResizedInPlace(self._host, self._sector_size, content, size, tell)


class ResizedInPlace:
    """A volume that gets its new size while it is written."""

    def __init__(
        self, host: Host, sector_size: int, content: VolumeContent, size: int, tell: Tell
    ) -> None:
        self._host = host
        self._sector_size = sector_size
        self._content = content
        self._size = size
        self._tell = tell

    def write(self, slot: VolumeSlot, patches: Iterable[Patch]) -> None:
        end, old_end = self._size, self._content.volume.size
        start = HeldBytes(min(START_BYTES, end))
        tail = StoredTail(self._content, end, self._tell)
        pieces: list[tuple[int, Bytes]] = [
            (len(start.data), start),
            (end - len(start.data), _OnTarget(slot, START_BYTES)),
        ]
        if old_end > end:
            pieces.append((old_end - end, Overlay(tail.read)))
        volume = JoinedVolume(*pieces, sector_size=self._sector_size)
        _write_head(self._content, end, volume, slot, self._tell)
        with self._host.block_device(volume) as device:
            resize_file_system(Path(device), self._content.volume, end)
        for patch in patches:
            volume.write(patch.offset, patch.data)
        slot.write(0, bytes(start.data))
        self._tell(tail.used_bytes)

    def close(self) -> None:
        """Nothing: it took no room."""


class _OnTarget:
    """The slot from some offset on."""

    def __init__(self, slot: VolumeSlot, start: int) -> None:
        self._slot = slot
        self._start = start

    def read(self, offset: int, size: int) -> bytes:
        return self._slot.read(self._start + offset, size)

    def write(self, offset: int, data: bytes) -> None:
        self._slot.write(self._start + offset, data)


class StoredTail:
    """What a stored volume holds behind ``start``, blob by blob as it is asked for."""

    def __init__(self, content: VolumeContent, start: int, tell: Tell) -> None:
        self._content = content
        self._start = start
        self._tell = tell
        self._offsets: list[int] = []
        self._blobs: list[StoredBlob] = []
        for offset, blob in content.blobs():
            if offset + blob.size > start and not blob.is_zero:
                self._offsets.append(offset)
                self._blobs.append(blob)
        self._fetch = lru_cache(maxsize=_CACHED_BLOBS)(self._fetch_blob)

    @property
    def used_bytes(self) -> int:
        """Bytes of the blobs that begin here; those around ``start`` count as the head's."""
        pairs = zip(self._offsets, self._blobs, strict=True)
        return sum(blob.size for offset, blob in pairs if offset >= self._start)

    def read(self, offset: int, size: int) -> bytes:
        """``offset`` counts from the tail's start; zeros where nothing is stored."""
        self._tell(0)  # a moment to cancel in
        place = self._start + offset
        data = bytearray(size)
        index = max(0, bisect_right(self._offsets, place) - 1)
        while index < len(self._offsets) and self._offsets[index] < place + size:
            at = self._offsets[index] - place
            stored = self._fetch(self._blobs[index].id)
            first, last = max(at, 0), min(at + len(stored), size)
            if first < last:
                data[first:last] = stored[first - at : last - at]
            index += 1
        return bytes(data)

    def _fetch_blob(self, blob: BlobId) -> bytes:
        (data,) = self._content.stored.fetch((blob,))
        return data


def _write_head(
    content: VolumeContent, end: int, volume: JoinedVolume, slot: VolumeSlot, tell: Tell
) -> None:
    """All of the volume that lies before ``end``."""
    places: deque[int] = deque()

    def wanted() -> Iterator[BlobId]:
        for offset, blob in content.blobs():
            if offset >= end:
                return
            if blob.is_zero:
                first, last = max(offset, START_BYTES), min(offset + blob.size, end)
                slot.zero(first, max(0, last - first))
            else:
                places.append(offset)
                yield blob.id

    for data in content.stored.fetch(wanted()):
        offset = places.popleft()
        volume.write(offset, data[: end - offset])
        tell(len(data))
    slot.settle()
