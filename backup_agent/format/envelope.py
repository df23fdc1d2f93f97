"""The wrapping around the JSON of index, snapshot and lock files (design: "Unpacked Data Format").

Version 1 holds bare JSON. Version 2 puts a byte before it::

    0x02 || zstd(JSON)
    '{'… or '['…        bare JSON, as in version 1
"""

from __future__ import annotations

import zstandard

from backup_agent.errors import IntegrityError

_COMPRESSED = 2
_MAX_JSON = 1 << 30
_PIECE = 1 << 20


def unwrap(plain: bytes) -> bytes:
    """The JSON inside. Raises ``IntegrityError``."""
    if not plain:
        raise IntegrityError("An empty file where JSON was expected.")
    if plain[0] in b"[{":
        return plain
    if plain[0] == _COMPRESSED:
        return decompress(plain[1:], limit=_MAX_JSON)
    raise IntegrityError(f"Unknown encoding {plain[0]:#04x} at the start of a file.")


def wrap(json: bytes, *, version: int) -> bytes:
    """The plain text to seal, for a repository of that version."""
    if version == 1:
        return json
    return bytes([_COMPRESSED]) + zstandard.compress(json)


def decompress(
    data: bytes, *, limit: int, decompressor: zstandard.ZstdDecompressor | None = None
) -> bytes:
    """Undo zstd, never making more than ``limit`` bytes. Raises ``IntegrityError``."""
    decompressor = decompressor or zstandard.ZstdDecompressor()
    try:
        size = zstandard.frame_content_size(data)
        if size > limit:
            raise IntegrityError(f"Compressed data claims {size} bytes, more than it may hold.")
        if size > 0:
            return decompressor.decompress(data)
        # Encoders that stream do not know the size beforehand, and a skippable frame may
        # come first.
        return _decompress_unsized(decompressor, data, limit)
    except zstandard.ZstdError as exc:
        raise IntegrityError(f"Compressed data is damaged: {exc}") from exc


def _decompress_unsized(decompressor: zstandard.ZstdDecompressor, data: bytes, limit: int) -> bytes:
    result = bytearray()
    with decompressor.stream_reader(data, read_across_frames=True) as reader:
        while piece := reader.read(_PIECE):
            result += piece
            if len(result) > limit:
                raise IntegrityError("Compressed data holds more than it may.")
    return bytes(result)
