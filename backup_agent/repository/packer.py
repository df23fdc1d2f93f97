"""Filling packs: compress the blobs of a slab, seal them in a row, close with a header."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

import zstandard

from backup_agent.crypto.cipher import OVERHEAD, SEAL_ROOM, Buffer, Sealer
from backup_agent.errors import IntegrityError
from backup_agent.format.pack import (
    BlobKind,
    PackedBlob,
    encode_header,
    encode_length,
)
from backup_agent.repository.opener import BlobOpener
from backup_agent.repository.slab import Piece, Slab

PACK_SIZE = 16 << 20
"""A pack is closed once it holds this much; restic's default too."""

_PROBED_FROM = 64 << 10
_PROBE = 4 << 10
_WORTH_IT = 0.97
_SEGMENT = struct.Struct("=QQ")


HandOn: TypeAlias = "Callable[[OpenPack], OpenPack]"
"""Takes a full pack and gives an empty one."""


class OpenPack:
    """A pack being filled, in a buffer that is used again for the next one."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = 0
        self.blobs: list[PackedBlob] = []

    @property
    def size(self) -> int:
        return self._size

    def seal_blob(
        self, sealer: Sealer, piece: Piece, kind: BlobKind, plain: Buffer, raw_length: int
    ) -> PackedBlob:
        """Append one blob; ``plain`` is what gets sealed, compressed if ``raw_length`` is set."""
        start = self._size
        self._ensure(len(plain) + OVERHEAD + SEAL_ROOM)
        length = sealer.seal_into(plain, memoryview(self._buffer)[start:])
        blob = PackedBlob(piece.id, kind, start, length, raw_length)
        self.blobs.append(blob)
        self._size += length
        return blob

    def sealed(self, blob: PackedBlob) -> memoryview:
        return memoryview(self._buffer)[blob.offset : blob.offset + blob.length]

    def absorb(self, other: OpenPack) -> None:
        """Take over another pack's blobs: a sealed blob does not depend on where it lies."""
        shift = self._size
        self._ensure(other.size)
        self._buffer[shift : shift + other.size] = memoryview(other._buffer)[: other.size]
        self._size += other.size
        self.blobs += [
            PackedBlob(b.id, b.kind, b.offset + shift, b.length, b.raw_length) for b in other.blobs
        ]
        other.clear()

    def close(self, sealer: Sealer) -> tuple[str, memoryview]:
        """Write the header; returns the pack's name and bytes, valid until :meth:`clear`."""
        header = sealer.seal(encode_header(self.blobs))
        trailer = header + encode_length(header)
        self._ensure(len(trailer))
        end = self._size + len(trailer)
        self._buffer[self._size : end] = trailer
        data = memoryview(self._buffer)[:end]
        return hashlib.sha256(data).hexdigest(), data

    def clear(self) -> None:
        self._size = 0
        self.blobs = []

    def _ensure(self, more: int) -> None:
        wanted = self._size + more
        if len(self._buffer) < wanted:
            # A full pack, the blob that filled it and the header: then this never grows again.
            usual = PACK_SIZE + (4 << 20) + (1 << 16)
            grown = bytearray(max(wanted, usual))
            grown[: self._size] = memoryview(self._buffer)[: self._size]
            self._buffer = grown


class Packer:
    """Compresses and seals for one thread."""

    def __init__(self, sealer: Sealer, *, level: int | None) -> None:
        """``level`` is zstd's, ``None`` for repositories that know no compression."""
        self._sealer = sealer
        self._opener = BlobOpener(sealer)
        self._compressor = None if level is None else zstandard.ZstdCompressor(level=level)
        self._probe = None if level is None else zstandard.ZstdCompressor(level=1)

    def pack(self, slab: Slab, pack: OpenPack, *, hand_on: HandOn) -> OpenPack:
        """Append every blob of the slab, handing on each pack that gets full.

        Returns the pack that is open now. Raises ``IntegrityError`` when a
        blob does not open again.
        """
        compressed = self._compress(slab)
        for number, (piece, short) in enumerate(zip(slab.pieces, compressed, strict=True)):
            size = piece.end - piece.start
            if short is not None and len(short) < size:
                blob = pack.seal_blob(self._sealer, piece, slab.kind, short, size)
            else:
                plain = slab.view[piece.start : piece.end]
                blob = pack.seal_blob(self._sealer, piece, slab.kind, plain, 0)
            # A wrong bit from memory or a compressor would be found years later, at restore.
            # Trees are all checked, of data one blob in every slab.
            if number == 0 or slab.kind is BlobKind.TREE:
                self._verify(pack.sealed(blob), blob)
            if pack.size >= PACK_SIZE:
                pack = hand_on(pack)
        return pack

    def _compress(self, slab: Slab) -> Sequence[Buffer | None]:
        """For each piece its compressed form, or ``None`` where trying is not worth it."""
        if self._compressor is None:
            return [None] * len(slab.pieces)
        wanted = [piece for piece in slab.pieces if self._compressible(slab, piece)]
        if not wanted:
            return [None] * len(slab.pieces)
        segments = b"".join(_SEGMENT.pack(p.start, p.end - p.start) for p in wanted)
        frames = self._compressor.multi_compress_to_buffer(
            zstandard.BufferWithSegments(slab.view, segments)
        )
        results: list[Buffer | None] = []
        taken = 0
        for piece in slab.pieces:
            if taken < len(wanted) and wanted[taken] is piece:
                # A BufferSegment is a buffer, which its type stub does not say.
                results.append(memoryview(frames[taken]))  # type: ignore[arg-type]
                taken += 1
            else:
                results.append(None)
        return results

    def _compressible(self, slab: Slab, piece: Piece) -> bool:
        """Probe three small samples of a large piece: most large files are compressed already."""
        size = piece.end - piece.start
        if size < _PROBED_FROM or self._probe is None:
            return size > 0
        starts = (piece.start, piece.start + size // 2, piece.end - _PROBE)
        sample = b"".join(slab.view[start : start + _PROBE] for start in starts)
        return len(self._probe.compress(sample)) < _WORTH_IT * len(sample)

    def _verify(self, sealed: memoryview, blob: PackedBlob) -> None:
        try:
            self._opener.open(sealed, blob)
        except IntegrityError as exc:
            raise IntegrityError(
                "A blob did not survive being compressed and sealed; nothing bad was saved.",
                hint="This points to faulty memory: test it, then run again.",
            ) from exc
