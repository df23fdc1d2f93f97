"""A stored disk, small and made up, that counts what is fetched of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from backup_agent.errors import (
    StorageError,
)
from backup_agent.model.disk import (
    Area,
    AreaKind,
    DiskLayout,
    Extent,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.model.ids import BlobId
from backup_agent.targets.disk.stored import StoredBlob

KIB = 1 << 10


MIB = 1 << 20


SIZE = 8 * MIB


BOOT = 2
"""Blobs fetched for the plan: a boot sector's, and the one that sector 0 is in."""


class SmallDisk:
    """A stored disk of one volume of four parts, with GPT-like areas.

    ``parts`` replaces the content, ``begin`` what stands before it. Fetching fails once
    ``fetches`` blobs were given; the first ``BOOT`` of them are what a plan looks at.
    """

    identity = "point/0"

    def __init__(
        self,
        parts: list[list[bytes]] | None = None,
        fetches: int | None = None,
        *,
        begin: bytes = b"h" * MIB,
    ) -> None:
        self._begin = begin
        partition = Partition(1, MIB, 4 * MIB, "X")
        table = PartitionTable(TableKind.GPT, 512, "ID", (partition,), Extent(512, 512))
        head = Area("head.img", AreaKind.HEAD, Extent(0, MIB))
        tail = Area("tail.img", AreaKind.TAIL, Extent(SIZE - 512, 512))
        self.layout = DiskLayout(SIZE, table, (head, tail))
        system = FileSystem(FileSystemKind.UNKNOWN, "Windows")
        self.volumes = [Volume(1, MIB, 4 * MIB, system, part_size=MIB)]
        self.parts = parts or [[bytes([0x11 * (n + 1)]) * MIB] for n in range(4)]
        self.fetched: list[BlobId] = []
        self._left = fetches
        self._content: dict[BlobId, bytes] = {}

    def area_blobs(self, name: str) -> list[StoredBlob]:
        return [self._blob(self._begin if name == "head.img" else b"t" * 512)]

    def part_blobs(self, volume: int, part: int) -> list[StoredBlob]:
        return [self._blob(piece) for piece in self.parts[part]]

    def fetch(self, blobs: Iterable[BlobId]) -> Iterator[bytes]:
        for blob in blobs:
            if self._left == 0:
                raise StorageError("The network is gone.")
            if self._left is not None:
                self._left -= 1
            self.fetched.append(blob)
            yield self._content[blob]

    def _blob(self, piece: bytes) -> StoredBlob:
        blob = BlobId(hashlib.sha256(piece).digest())
        self._content[blob] = piece
        return StoredBlob(blob, len(piece))

    @property
    def image(self) -> bytes:
        content = b"".join(piece for part in self.parts for piece in part)
        return self._begin + content + bytes(3 * MIB - 512) + b"t" * 512
