"""Packs: many sealed blobs in one file, and a sealed list of them at its end::

    blob 1 || … || blob n || sealed header || u32 length of the sealed header

Header: one entry a blob, little endian::

    u8 type || u32 sealed length || [u32 raw length] || SHA-256 of the plain blob

Type 0 is data, 1 tree, 2 and 3 the same compressed; only those have a raw length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import Enum

import msgspec

from backup_agent.crypto.cipher import OVERHEAD, Buffer
from backup_agent.errors import IntegrityError
from backup_agent.model.ids import BlobId

_PLAIN = struct.Struct("<BI32s")
_COMPRESSED = struct.Struct("<BII32s")
_LENGTH = struct.Struct("<I")
LENGTH_SIZE = _LENGTH.size
LARGEST_HEADER = 16 << 20
"""No pack holds so many blobs; more is damage or malice."""


class BlobKind(Enum):
    """What a blob holds; the value is restic's word in index files."""

    DATA = "data"
    TREE = "tree"


# A msgspec.Struct: a large repository has millions of these, see model.node.
class PackedBlob(msgspec.Struct, frozen=True, gc=False):
    """Where one blob lies in its pack. ``length`` is that of the sealed form.

    ``raw_length`` is the plain length where the blob is compressed, else 0.
    """

    id: BlobId
    kind: BlobKind
    offset: int
    length: int
    raw_length: int = 0

    @property
    def plain_length(self) -> int:
        return self.raw_length or self.length - OVERHEAD


def encode_header(blobs: Iterable[PackedBlob]) -> bytes:
    """The plain header; the caller seals it and appends its length."""
    entries = bytearray()
    for blob in blobs:
        tree = blob.kind is BlobKind.TREE
        if blob.raw_length:
            entries += _COMPRESSED.pack(2 + tree, blob.length, blob.raw_length, blob.id)
        else:
            entries += _PLAIN.pack(tree, blob.length, blob.id)
    return bytes(entries)


def encode_length(sealed_header: bytes) -> bytes:
    return _LENGTH.pack(len(sealed_header))


def header_length(tail: Buffer, *, file_size: int) -> int:
    """The sealed header's length, out of the last four bytes. Raises ``IntegrityError``."""
    if len(tail) != LENGTH_SIZE:
        raise IntegrityError(f"{file_size} bytes are too few for a pack.")
    (length,) = _LENGTH.unpack(tail)
    if not OVERHEAD <= length <= min(file_size - LENGTH_SIZE, LARGEST_HEADER):
        raise IntegrityError(f"A pack of {file_size} bytes claims a header of {length}.")
    return int(length)


def decode_header(plain: bytes, *, blobs_end: int) -> tuple[PackedBlob, ...]:
    """The blobs in their order; ``blobs_end`` is where the sealed header starts.

    Raises ``IntegrityError`` for a header that does not describe exactly those bytes.
    """
    blobs: list[PackedBlob] = []
    position = offset = 0
    try:
        while position < len(plain):
            code = plain[position]
            raw = 0
            if code in (0, 1):
                _, length, blob_id = _PLAIN.unpack_from(plain, position)
                position += _PLAIN.size
            elif code in (2, 3):
                _, length, raw, blob_id = _COMPRESSED.unpack_from(plain, position)
                position += _COMPRESSED.size
            else:
                raise IntegrityError(f"A pack's header has a blob of unknown type {code}.")
            kind = BlobKind.TREE if code & 1 else BlobKind.DATA
            blobs.append(PackedBlob(BlobId(blob_id), kind, offset, length, raw))
            offset += length
    except struct.error as exc:
        raise IntegrityError("A pack's header is cut short.") from exc
    if offset != blobs_end:
        raise IntegrityError(f"A pack's header lists {offset} bytes of blobs, it has {blobs_end}.")
    return tuple(blobs)


def pack_size(blobs: Iterable[PackedBlob]) -> int:
    """How long a pack of exactly these blobs is, header and all."""
    size = OVERHEAD + LENGTH_SIZE
    for blob in blobs:
        size += blob.length + (_COMPRESSED.size if blob.raw_length else _PLAIN.size)
    return size
