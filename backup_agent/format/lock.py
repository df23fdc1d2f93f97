"""Lock files: who works on the repository, since when, and whether alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.timestamp import decode_datetime, encode_datetime


@dataclass(frozen=True, slots=True)
class Lock:
    """``time`` is that of the last refresh; restic writes a new file for each."""

    time: datetime
    exclusive: bool
    hostname: str
    username: str
    pid: int
    uid: int = 0
    gid: int = 0


class _Json(msgspec.Struct):
    time: str
    exclusive: bool
    hostname: str
    username: str
    pid: int
    uid: int = 0
    gid: int = 0


def encode_lock(lock: Lock) -> bytes:
    return msgspec.json.encode(
        _Json(
            encode_datetime(lock.time),
            lock.exclusive,
            lock.hostname,
            lock.username,
            lock.pid,
            lock.uid,
            lock.gid,
        )
    )


def decode_lock(json: bytes) -> Lock:
    """Raises ``IntegrityError``."""
    try:
        found = msgspec.json.decode(json, type=_Json)
    except MALFORMED as exc:
        raise IntegrityError(f"A lock is damaged: {exc}") from exc
    return Lock(
        time=decode_datetime(found.time),
        exclusive=found.exclusive,
        hostname=found.hostname,
        username=found.username,
        pid=found.pid,
        uid=found.uid,
        gid=found.gid,
    )
