"""Lock files: who works on the repository, since when, and whether alone.

What restic writes, and in our own locks one field more, which restic skips::

    "everboot": {"space": "…", "started": 1223777}
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from backup_agent.errors import IntegrityError
from backup_agent.format.malformed import MALFORMED
from backup_agent.format.timestamp import decode_datetime, encode_datetime


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """What makes a process number mean one process.

    ``space``: where that number counts, one boot of one computer and one
    container in it. ``started``: when the process did, counted from the boot,
    for numbers are given out again.
    """

    space: str
    started: int


@dataclass(frozen=True, slots=True)
class Lock:
    """``time`` is that of the last refresh; restic writes a new file for each.

    ``process`` is ``None`` in restic's locks, and where the system tells too little.
    """

    time: datetime
    exclusive: bool
    hostname: str
    username: str
    pid: int
    uid: int = 0
    gid: int = 0
    process: ProcessMark | None = None


class _Json(msgspec.Struct):
    time: str
    exclusive: bool
    hostname: str
    username: str
    pid: int
    uid: int = 0
    gid: int = 0
    everboot: ProcessMark | msgspec.UnsetType = msgspec.UNSET


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
            msgspec.UNSET if lock.process is None else lock.process,
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
        process=None if found.everboot is msgspec.UNSET else found.everboot,
    )
