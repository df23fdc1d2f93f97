"""Objects to store: content with the key that its hash gives it."""

from __future__ import annotations

import hashlib

from backup_agent.storage.backend import FileKind, ObjectKey


def key_of(data: bytes, kind: FileKind = FileKind.PACK, *, is_tree: bool = False) -> ObjectKey:
    return ObjectKey(kind, hashlib.sha256(data).hexdigest(), is_tree=is_tree)
