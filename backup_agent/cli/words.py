"""Numbers, times and names as people read them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime

from backup_agent.model.node import Node

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024


def size(count: float) -> str:
    """``1.5 GiB``."""
    for unit in _UNITS:
        if count < _STEP or unit == _UNITS[-1]:
            break
        count /= _STEP
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """``4 s``, ``3:07 min``, ``2:15 h``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def moment(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def moment_ns(ns: int) -> str:
    return moment(datetime.fromtimestamp(ns / 1_000_000_000, UTC))


def count(number: int, one: str, many: str = "") -> str:
    """``1 file``, ``12,034 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def mode(node: Node) -> str:
    """``drwxr-xr-x``."""
    return stat.filemode(node.st_mode)


def lines(text: str) -> str:
    """Several lines, each of them printable."""
    return "\n".join(printable(line) for line in text.split("\n"))


def printable(text: str) -> str:
    """What came from a file name cannot steer the terminal: control characters are spelt out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
