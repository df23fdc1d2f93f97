"""Telling whether the process that a lock names is dead, and never guessing.

A host's name and a process number are not enough: two computers may have one
name, and containers of one computer each count their processes from 1. To take
a run that lives for dead costs data; the other way round costs half an hour. So
the answer is yes only for a process of this boot and this PID namespace whose
number is free, or was given to a process that started at another time.

Sources: proc(5), pid_namespaces(7), time_namespaces(7).
"""

from __future__ import annotations

import os
from pathlib import Path

from backup_agent.format.lock import ProcessMark

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACES = ("pid", "time")
"""Numbers count within the first; the second shifts when a process seems to have started."""
_START_FIELD = 19
"""``starttime``, the 22nd of /proc/PID/stat, counted behind the name in brackets."""


def own_mark() -> ProcessMark | None:
    """That of this process, or ``None`` where the system tells too little (it is no Linux)."""
    space, started = _space(), _started(os.getpid())
    return None if space is None or started is None else ProcessMark(space, started)


def is_dead(pid: int, mark: ProcessMark | None) -> bool:
    """Whether that process has certainly ended."""
    if mark is None or mark.space != _space():
        return False
    if not _is_taken(pid):
        return True
    started = _started(pid)
    return started is not None and started != mark.started


def is_seen(pid: int, mark: ProcessMark | None) -> bool:
    """Whether a process is there that may be the one. Without a mark, any of that number may."""
    if mark is None:
        return _is_taken(pid)
    return mark.space == _space() and not is_dead(pid, mark)


def _is_taken(pid: int) -> bool:
    try:
        # Not by a look into /proc, which may hide what belongs to others (hidepid).
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's, and there
    return True


def _space() -> str | None:
    try:
        if os.readlink("/proc/self") != str(os.getpid()):
            return None  # this /proc is that of another namespace
        names = [os.readlink(f"/proc/self/ns/{kind}") for kind in _NAMESPACES if _has(kind)]
        return " ".join((_BOOT.read_text("ascii").strip(), *names))
    except (OSError, ValueError):
        return None


def _has(namespace: str) -> bool:
    # Linux before 5.6 knows no time namespaces.
    return namespace == "pid" or os.path.lexists(f"/proc/self/ns/{namespace}")


def _started(pid: int) -> int | None:
    """In clock ticks since the boot, which no setting of the clock moves."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[_START_FIELD])
    except (OSError, ValueError, IndexError):
        return None
