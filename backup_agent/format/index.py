"""Index files: which blob lies where in which pack, as JSON.

Decoding a million entries is what a restore waits for first, so the JSON goes
straight into slotted structs.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

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


_LARGEST = (1 << 32) - 1
"""Pack headers hold lengths in 32 bits."""
_Id: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
# Checked for its digits only when it is turned into bytes: there are too many for a pattern.
_BlobId: TypeAlias = Annotated[str, msgspec.Meta(min_length=64, max_length=64)]
_Size: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
_Length: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=_LARGEST)]


class _Blob(msgspec.Struct, omit_defaults=True, gc=False):
    id: _BlobId
    type: Literal["data", "tree"]
    offset: _Size
    length: _Length
    uncompressed_length: _Size = 0


class _Pack(msgspec.Struct):
    # Strictly: a pack's id becomes part of a path.
    id: _Id
    blobs: list[_Blob]


class _Index(msgspec.Struct):
    packs: list[_Pack] | None = None


_decoder = msgspec.json.Decoder(_Index)


def decode_index(json: bytes) -> tuple[IndexedPack, ...]:
    """Raises ``IntegrityError`` for what is no index."""
    try:
        packs = _decoder.decode(json).packs or ()
        return tuple(IndexedPack(PackId(pack.id), _blobs(pack.blobs)) for pack in packs)
    except MALFORMED as exc:
        raise IntegrityError(f"An index is damaged: {exc}") from exc


def _blobs(entries: Iterable[_Blob]) -> tuple[PackedBlob, ...]:
    return tuple(
        PackedBlob(
            BlobId(unhexlify(entry.id)),
            BlobKind.DATA if entry.type == "data" else BlobKind.TREE,
            entry.offset,
            entry.length,
            entry.uncompressed_length,
        )
        for entry in entries
    )


def encode_index(packs: Iterable[IndexedPack]) -> bytes:
    return msgspec.json.encode(
        _Index(
            [
                _Pack(
                    pack.id,
                    [
                        _Blob(
                            b.id.hex(),
                            "data" if b.kind is BlobKind.DATA else "tree",
                            b.offset,
                            b.length,
                            b.raw_length,
                        )
                        for b in pack.blobs
                    ],
                )
                for pack in packs
            ]
        )
    )
