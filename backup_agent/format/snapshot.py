"""Snapshot files, with restic's fields; fields we do not know survive a rewrite."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.timestamp import decode_datetime, encode_datetime
from backup_agent.model.ids import BlobId, SnapshotId
from backup_agent.model.snapshot import BackupSummary, Snapshot


class _Summary(msgspec.Struct):
    backup_start: str
    backup_end: str
    files_new: int = 0
    files_changed: int = 0
    files_unmodified: int = 0
    dirs_new: int = 0
    dirs_changed: int = 0
    dirs_unmodified: int = 0
    data_blobs: int = 0
    tree_blobs: int = 0
    data_added: int = 0
    data_added_packed: int = 0
    total_files_processed: int = 0
    total_bytes_processed: int = 0


class _Json(msgspec.Struct, omit_defaults=True):
    time: str
    tree: str
    paths: list[str] | None
    parent: str | None = None
    hostname: str = ""
    username: str = ""
    uid: int = 0
    gid: int = 0
    excludes: list[str] | None = None
    tags: list[str] | None = None
    original: str | None = None
    program_version: str = ""
    summary: _Summary | None = None


_KNOWN = frozenset(_Json.__struct_fields__)
_BLOB_ID = re.compile("[0-9A-Fa-f]{64}")


def encode_snapshot(snapshot: Snapshot) -> bytes:
    json = _Json(
        time=encode_datetime(snapshot.time),
        tree=snapshot.tree.hex(),
        paths=list(snapshot.paths),
        parent=snapshot.parent,
        hostname=snapshot.hostname,
        username=snapshot.username,
        uid=snapshot.uid,
        gid=snapshot.gid,
        excludes=list(snapshot.excludes) or None,
        tags=list(snapshot.tags) or None,
        original=snapshot.original,
        program_version=snapshot.program_version,
        summary=_encode_summary(snapshot.summary) if snapshot.summary else None,
    )
    known: dict[str, object] = _storable(msgspec.to_builtins(json))
    return msgspec.json.encode({**known, **snapshot.extra})


def decode_snapshot(json: bytes, snapshot_id: SnapshotId) -> Snapshot:
    """Raises ``IntegrityError``."""
    try:
        everything: dict[str, Any] = msgspec.json.decode(json, type=dict[str, Any])
        found = msgspec.convert(everything, _Json)
    except MALFORMED as exc:
        raise IntegrityError(f"Snapshot {snapshot_id[:8]} is damaged: {exc}") from exc
    if not _BLOB_ID.fullmatch(found.tree):
        raise IntegrityError(f"Snapshot {snapshot_id[:8]} names no tree: {found.tree!r}.")
    return Snapshot(
        id=snapshot_id,
        time=decode_datetime(found.time),
        tree=BlobId(bytes.fromhex(found.tree)),
        paths=tuple(found.paths or ()),
        hostname=found.hostname,
        username=found.username,
        uid=found.uid,
        gid=found.gid,
        tags=tuple(found.tags or ()),
        excludes=tuple(found.excludes or ()),
        parent=_snapshot_id(found.parent),
        original=_snapshot_id(found.original),
        program_version=found.program_version,
        summary=_decode_summary(found.summary) if found.summary else None,
        extra={name: value for name, value in everything.items() if name not in _KNOWN},
    )


def _storable(value: Any) -> Any:
    """With the replacement character for what is no Unicode: paths and patterns come from the
    operating system, which allows any bytes in them.
    """
    match value:
        case str():
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        case list():
            return [_storable(item) for item in value]
        case dict():
            return {name: _storable(item) for name, item in value.items()}
        case _:
            return value


def _snapshot_id(text: str | None) -> SnapshotId | None:
    return SnapshotId(text) if text else None


def _encode_summary(summary: BackupSummary) -> _Summary:
    fields = asdict(summary)
    fields["backup_start"] = encode_datetime(summary.backup_start)
    fields["backup_end"] = encode_datetime(summary.backup_end)
    return _Summary(**fields)


def _decode_summary(found: _Summary) -> BackupSummary:
    fields = msgspec.to_builtins(found)
    fields["backup_start"] = decode_datetime(found.backup_start)
    fields["backup_end"] = decode_datetime(found.backup_end)
    return BackupSummary(**fields)
