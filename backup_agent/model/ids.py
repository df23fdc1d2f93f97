"""Identifiers. All are SHA-256 hashes of what they name."""

from __future__ import annotations

from typing import NewType

BlobId = NewType("BlobId", bytes)
"""32 raw bytes: the hash of a blob's plain text. Raw, because there are millions of them."""

SnapshotId = NewType("SnapshotId", str)
"""64 hex digits: the name of a snapshot file."""

PackId = NewType("PackId", str)
"""64 hex digits: the name of a pack file."""

SHORT_ID_LENGTH = 8
"""How many digits people are shown."""
