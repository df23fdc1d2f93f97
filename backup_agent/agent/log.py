"""What the agent did, as JSON lines in files that are never more than a few megabytes."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import assert_never

import msgspec

from backup_agent.agent.database import state_folder
from backup_agent.model.events import Event, ItemSkipped, Notice, Progress

_MOST_BYTES = 2 << 20
_OLDER_FILES = 4


class LogLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """``path`` and ``during`` where something was left out."""

    at: datetime
    message: str
    path: str = ""
    during: str = ""

    def __str__(self) -> str:
        about = f"  {self.path} ({self.during}):" if self.path else " "
        return f"{self.at:%Y-%m-%d %H:%M:%S}{about} {self.message}"


def log_file(environment: Mapping[str, str]) -> Path:
    """The newest; older ones have a number behind the name."""
    return state_folder(environment) / "agent.log"


class Log:
    """``write`` is an ``emit``, for several threads. A full disk ends no backup."""

    def __init__(
        self,
        file: Path,
        *,
        now: Callable[[], datetime],
        most_bytes: int = _MOST_BYTES,
        older_files: int = _OLDER_FILES,
    ) -> None:
        self._file = file
        self._now = now
        self._most_bytes = most_bytes
        self._older_files = older_files
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        match event:
            case Progress():
                return
            case Notice(message):
                self._append(LogLine(self._now(), message))
            case ItemSkipped(path, reason, during):
                self._append(LogLine(self._now(), reason, path=path, during=during))
            case _:
                assert_never(event)

    def _append(self, line: LogLine) -> None:
        content = _encoded(line)
        with self._lock:
            try:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if self._file.exists() and self._file.stat().st_size > self._most_bytes:
                    self._rotate()
                with open(self._file, "ab", opener=_private) as stream:
                    stream.write(content + b"\n")
            except OSError:
                return

    def _rotate(self) -> None:
        for number in range(self._older_files, 0, -1):
            newer = _numbered(self._file, number - 1)
            if newer.exists():
                newer.replace(_numbered(self._file, number))


def latest_lines(file: Path, count: int) -> Sequence[LogLine]:
    """The last so many, oldest first, out of as many files as that takes."""
    lines: deque[LogLine] = deque(maxlen=count)
    older = [_numbered(file, number) for number in range(_OLDER_FILES, 0, -1)]
    for each in (*older, file):
        try:
            content = each.read_bytes()
        except OSError:
            continue
        for line in content.splitlines():
            try:
                lines.append(msgspec.json.decode(line, type=LogLine))
            except msgspec.DecodeError:
                # The power failed in the middle of it.
                continue
    return tuple(lines)


def _encoded(line: LogLine) -> bytes:
    try:
        return msgspec.json.encode(line)
    except UnicodeEncodeError:
        # Names of files may hold bytes that are no text.
        path = line.path.encode("utf-8", "backslashreplace").decode()
        message = line.message.encode("utf-8", "backslashreplace").decode()
        return msgspec.json.encode(LogLine(line.at, message, path=path, during=line.during))


def _numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}") if number else file


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
