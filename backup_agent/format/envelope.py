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
        if size >= 0:
            return decompressor.decompress(data)
        # Encoders that stream do not know the size beforehand; restic's is one.
        reader = decompressor.stream_reader(data)
        result = reader.read(limit + 1)
        if len(result) > limit:
            raise IntegrityError("Compressed data holds more than it may.")
        return result
    except zstandard.ZstdError as exc:
        raise IntegrityError(f"Compressed data is damaged: {exc}") from exc
