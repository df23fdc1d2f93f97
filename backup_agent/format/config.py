"""The config file: format version, repository id, restic's chunker polynomial. Bare sealed JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from backup_agent.errors import IntegrityError, UnsupportedVersionError
from backup_agent.format.malformed import MALFORMED

READABLE_VERSIONS = (1, 2)
NEWEST_VERSION = 2
_HEX = re.compile("[0-9A-Fa-f]+")


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """``polynomial`` serves restic's chunker; ours derives its own key (see ``chunking``)."""

    version: int
    id: str
    polynomial: int


class _Json(msgspec.Struct):
    version: int
    id: str
    chunker_polynomial: str


def encode_config(config: RepositoryConfig) -> bytes:
    return msgspec.json.encode(_Json(config.version, config.id, f"{config.polynomial:x}"))


def decode_config(json: bytes) -> RepositoryConfig:
    """Raises ``IntegrityError``, ``UnsupportedVersionError``."""
    try:
        found = msgspec.json.decode(json, type=_Json)
    except MALFORMED as exc:
        raise IntegrityError(f"The repository's config is damaged: {exc}") from exc
    if not _HEX.fullmatch(found.chunker_polynomial):
        raise IntegrityError(
            f"The repository's config is damaged: {found.chunker_polynomial!r} is no polynomial."
        )
    config = RepositoryConfig(found.version, found.id, int(found.chunker_polynomial, 16))
    if config.version not in READABLE_VERSIONS:
        raise UnsupportedVersionError(
            f"The repository has format version {config.version}; this program knows 1 and 2.",
            hint="A newer Everboot may read it.",
        )
    return config
