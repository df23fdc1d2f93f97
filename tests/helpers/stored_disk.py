"""A restore point of disks held in memory: what a backup would store, and a restore would read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from backup_agent.chunking.fixed import cut
from backup_agent.format.disk_layout import decode_layout, decode_volume
from backup_agent.model.disk import DiskLayout, Extent, Volume
from backup_agent.model.ids import BlobId
from backup_agent.model.node import NodeKind
from backup_agent.sources.entry import Entry, Source
from backup_agent.targets.disk.stored import StoredBlob

_BUFFER = 300_000  # no divisor of anything, so that pieces end anywhere


class CollectedFiles:
    """Every file of a source by its path, read as the backup service reads."""

    def __init__(self, source: Source) -> None:
        self.files: dict[str, bytes] = {}
        self.unreadable: dict[str, list[Extent]] = {}
        self.changed: dict[str, str] = {}
        self._walk(source, source.roots(), "")

    def _walk(self, source: Source, entries: Sequence[Entry], folder: str) -> None:
        names = [entry.node.name for entry in entries]
        assert names == sorted(names)
        for entry in entries:
            path = f"{folder}/{entry.node.name.decode()}"
            assert entry.path == path.encode()
            if entry.node.kind is NodeKind.FOLDER:
                self._walk(source, source.children(entry), path)
            else:
                self._read(source, entry, path)

    def _read(self, source: Source, entry: Entry, path: str) -> None:
        stream = source.open(entry)
        buffer = bytearray(_BUFFER)
        content = bytearray()
        while count := stream.readinto(memoryview(buffer)):
            content += buffer[:count]
        assert len(content) == source.complete(entry).size
        self.files[path] = bytes(content)
        if bad := stream.unreadable():
            self.unreadable[path] = list(bad)
        if words := stream.changed():
            self.changed[path] = words
        stream.close()


class CollectedDisk:
    """One disk of those files, as a restore sees it."""

    def __init__(self, files: dict[str, bytes], number: int = 0) -> None:
        self._files = files
        self._folder = f"/disks/{number}"
        self._content: dict[BlobId, bytes] = {}
        self.fetched = 0

    @property
    def layout(self) -> DiskLayout:
        return decode_layout(self._files[f"{self._folder}/layout.json"])

    @property
    def volumes(self) -> list[Volume]:
        return [
            decode_volume(data)
            for path, data in self._files.items()
            if path.startswith(self._folder) and path.endswith("/volume.json")
        ]

    @property
    def identity(self) -> str:
        return f"collected{self._folder}"

    def area_blobs(self, name: str) -> Iterator[StoredBlob]:
        return self._blobs(f"{self._folder}/{name}")

    def part_blobs(self, volume: int, part: int) -> Iterator[StoredBlob]:
        return self._blobs(f"{self._folder}/volumes/{volume}/image/{part:04d}/part")

    def fetch(self, blobs: Iterable[BlobId]) -> Iterator[bytes]:
        for blob in blobs:
            self.fetched += 1
            yield self._content[blob]

    def read_part(self, volume: int, part: int) -> bytes:
        return self._files[f"{self._folder}/volumes/{volume}/image/{part:04d}/part"]

    def _blobs(self, path: str) -> Iterator[StoredBlob]:
        data = memoryview(self._files[path])
        start = 0
        for length in cut(data, last=True):
            piece = bytes(data[start : start + length])
            blob = BlobId(hashlib.sha256(piece).digest())
            self._content[blob] = piece
            yield StoredBlob(blob, length)
            start += length
