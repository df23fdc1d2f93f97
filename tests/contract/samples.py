"""Objects to store: named by their hash, as a repository's are."""

from __future__ import annotations

import hashlib

from backup_agent.storage.backend import FileKind, ObjectKey

NAMED_KINDS = [kind for kind in FileKind if kind is not FileKind.CONFIG]


def key_of(data: bytes, kind: FileKind = FileKind.PACK) -> ObjectKey:
    return ObjectKey(kind, hashlib.sha256(data).hexdigest())


def bytes_of(size: int, seed: str = "") -> bytes:
    """Bytes in which no part resembles another, the same on every run."""
    return hashlib.shake_128(seed.encode()).digest(size)
