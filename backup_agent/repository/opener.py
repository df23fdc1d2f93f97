"""From a sealed blob to its plain bytes."""

from __future__ import annotations

import hashlib

import zstandard

from backup_agent.crypto.cipher import Buffer, Sealer
from backup_agent.errors import IntegrityError
from backup_agent.format.envelope import decompress
from backup_agent.format.pack import PackedBlob


class BlobOpener:
    """Opens, decompresses and checks; keeps its contexts, so one a thread."""

    def __init__(self, sealer: Sealer) -> None:
        self.sealer = sealer
        self._decompressor = zstandard.ZstdDecompressor()

    def open(self, sealed: Buffer, blob: PackedBlob) -> bytes:
        """The plain bytes, whose hash is the blob's id. Raises ``IntegrityError``."""
        if len(sealed) < blob.length:
            raise IntegrityError("it is cut short")
        plain = self.sealer.open(sealed)
        if blob.raw_length:
            plain = decompress(plain, limit=blob.raw_length, decompressor=self._decompressor)
        if hashlib.sha256(plain).digest() != blob.id:
            raise IntegrityError("its content does not match its id")
        return plain
