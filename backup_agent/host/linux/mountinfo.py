"""What is mounted where, as ``/proc/self/mountinfo`` tells it (proc(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mounted(NamedTuple):
    """``number`` is the device's (``8:1``), ``place`` the mount point, ``root`` what of the file
    system is seen there (``/``: all of it).
    """

    number: str
    place: str
    kind: str
    source: str
    root: str = "/"


def parse_mountinfo(text: str) -> Iterator[Mounted]:
    """Each line of the file, in its order: a later one may cover an earlier one's place."""
    for line in text.splitlines():
        fields = line.split(" ")
        # Optional fields end at a lone dash; type and source follow.
        kind, source = fields[fields.index("-") + 1 :][:2]
        root = _unescaped(fields[3])
        yield Mounted(fields[2], _unescaped(fields[4]), kind, _unescaped(source), root)


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
