"""Reused buffers of plain bytes on their way from the reader to the sealers.

Fresh memory costs a page fault every 4 KiB, which at these rates is a third of
all CPU time; so a handful of slabs goes round between the threads. Many small
files share one slab, and are compressed in one call.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field

from backup_agent.format.pack import BlobKind
from backup_agent.model.ids import BlobId

SLAB_SIZE = 8 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """One new blob in a slab: bytes ``start`` to ``end``."""

    id: BlobId
    start: int
    end: int


@dataclass(slots=True)
class Slab:
    """A buffer, what of it is used, and the new blobs in it."""

    kind: BlobKind
    view: memoryview
    pieces: list[Piece] = field(default_factory=list)
    used: int = 0

    @classmethod
    def empty(cls) -> Slab:
        # Not a bytearray, which would write zeros over memory that a small run never needs.
        return cls(BlobKind.DATA, memoryview(mmap.mmap(-1, SLAB_SIZE)))

    @property
    def room(self) -> int:
        return len(self.view) - self.used

    def reset(self, kind: BlobKind) -> None:
        self.kind = kind
        self.pieces = []
        self.used = 0
