"""Hide marks: small records beside a repository that tell what devices have deleted.

Format (``docs/vaults.md``): one JSON object in UTF-8, under the SHA-256 (hex) of
``KIND/NAME``, so that it can be found and removed without reading any other::

    {"everboot_hidden": 1, "kind": "data", "name": "<64 hex digits>",
     "hidden_at": "2026-11-22T21:04:41.123456+00:00"}

They lie in the storage, not only in the database: whoever loses the database finds the vault
as devices saw it, and nothing that was deleted comes to life again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from backup_agent.errors import IntegrityError
from backup_agent.services.vault import FileKind, ObjectKey, is_object_name

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """That an object is hidden, and since when."""

    key: ObjectKey
    hidden_at: datetime


def mark_name(key: ObjectKey) -> str:
    """Under which name an object's mark is kept."""
    return hashlib.sha256(f"{key.kind.value}/{key.name}".encode()).hexdigest()


def encode(mark: Mark) -> bytes:
    record = {
        "everboot_hidden": _VERSION,
        "kind": mark.key.kind.value,
        "name": mark.key.name,
        "hidden_at": mark.hidden_at.isoformat(),
    }
    return json.dumps(record).encode()


def decode(record: bytes) -> Mark:
    """Raises ``IntegrityError`` for anything that is no mark."""
    try:
        fields = json.loads(record)
        version, name = fields["everboot_hidden"], fields["name"]
        kind, hidden_at = FileKind(fields["kind"]), datetime.fromisoformat(fields["hidden_at"])
    except (ValueError, KeyError, TypeError) as exc:
        raise _unreadable() from exc
    if version != _VERSION or not is_object_name(name) or hidden_at.tzinfo is None:
        raise _unreadable()
    return Mark(ObjectKey(kind, name), hidden_at)


def _unreadable() -> IntegrityError:
    return IntegrityError(
        "A hide mark beside a vault cannot be read.",
        hint="Is another, newer console at work in the same storage location?",
    )
