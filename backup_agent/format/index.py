"""Index files: which blob lies where in which pack, as JSON.

Decoding a million entries is what a restore waits for first, so the JSON goes
straight into slotted structs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.pack import BlobKind, PackedBlob
from backup_agent.model.ids import BlobId, PackId


@dataclass(frozen=True, slots=True)
class IndexedPack:
    """A pack and the blobs in it."""

    id: PackId
    blobs: tuple[PackedBlob, ...]


class _Blob(msgspec.Struct, omit_defaults=True, gc=False):
    id: str
    type: str
    offset: int
    length: int
    uncompressed_length: int = 0


class _Pack(msgspec.Struct):
    id: str
    blobs: Sequence[_Blob]


class _Index(msgspec.Struct):
    packs: Sequence[_Pack] | None = None


_decoder = msgspec.json.Decoder(_Index)
_SHA256 = re.compile("[0-9a-f]{64}")
_LARGEST = (1 << 32) - 1
"""Pack headers hold lengths in 32 bits."""
_KINDS = {kind.value: kind for kind in BlobKind}


def decode_index(json: bytes) -> tuple[IndexedPack, ...]:
    """Raises ``IntegrityError`` for what is no index."""
    try:
        found = _decoder.decode(json)
        return tuple(
            IndexedPack(PackId(_digits(pack.id)), tuple(_blob(entry) for entry in pack.blobs))
            for pack in found.packs or ()
        )
    except MALFORMED as exc:
        raise IntegrityError(f"An index is damaged: {exc}") from exc


def encode_index(packs: Iterable[IndexedPack]) -> bytes:
    return msgspec.json.encode(
        _Index(
            [
                _Pack(
                    pack.id,
                    [
                        _Blob(b.id.hex(), b.kind.value, b.offset, b.length, b.raw_length)
                        for b in pack.blobs
                    ],
                )
                for pack in packs
            ]
        )
    )


def _blob(entry: _Blob) -> PackedBlob:
    if not (
        0 <= entry.offset <= _LARGEST
        and 0 < entry.length <= _LARGEST
        and 0 <= entry.uncompressed_length <= _LARGEST
    ):
        raise ValueError(f"a blob at {entry.offset} of {entry.length} bytes")
    return PackedBlob(
        BlobId(bytes.fromhex(_digits(entry.id))),
        _KINDS[entry.type],
        entry.offset,
        entry.length,
        entry.uncompressed_length,
    )


def _digits(text: str) -> str:
    # Strictly: a pack's id becomes part of a path.
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256")
    return text
