"""News and results, as words for people or as JSON lines for programs.

The names in the JSON are restic's where it has the same thing
(``message_type``: status, summary, error, exit_error).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TextIO, assert_never

import msgspec

from backup_agent.cli import words
from backup_agent.errors import EverbootError
from backup_agent.model.events import Event, ItemSkipped, Notice, Progress

_STATUS_SECONDS = 1.0
_LINE_SECONDS = 0.1
_CLEAR_LINE = "\r\x1b[K"

_to_json = msgspec.json.Encoder().encode


class Render(Protocol):
    """Where a command's output goes."""

    def emit(self, event: Event) -> None:
        """News of running work."""
        ...

    def show(self, record: Mapping[str, object], text: str) -> None:
        """A result: the record for programs, the text for people (nothing, if empty)."""
        ...

    def list_one(self, record: Callable[[], Mapping[str, object]], text: Callable[[], str]) -> None:
        """One of many results: only the form that is shown is made."""
        ...

    def say(self, text: str) -> None:
        """Words around the results, for people only."""
        ...

    def warn(self, text: str) -> None: ...

    def failure(self, error: EverbootError) -> None: ...

    def close(self) -> None: ...


class TextRender:
    """For people. Progress is one line that renews itself, and only on a terminal."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._line_shown = False
        self._started = time.monotonic()
        self._next_line = 0.0

    def emit(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress(event)
            case ItemSkipped(path, reason, _):
                self._alert(f"{path}: {reason}")
            case Notice(message):
                self._alert(message)
            case _:
                assert_never(event)

    def show(self, record: Mapping[str, object], text: str) -> None:  # noqa: ARG002 - for programs
        if text:
            self.say(text)

    def list_one(
        self,
        record: Callable[[], Mapping[str, object]],  # noqa: ARG002 - for programs
        text: Callable[[], str],
    ) -> None:
        self.say(text())

    def say(self, text: str) -> None:
        self._clear()
        self._stream.write(f"{_harmless(text, self._stream)}\n")

    def warn(self, text: str) -> None:
        self._alert(f"Warning: {text}")

    def failure(self, error: EverbootError) -> None:
        self._alert(f"everboot: {error.message}")
        if error.hint:
            self._alert(error.hint)

    def close(self) -> None:
        self._clear()

    def _alert(self, text: str) -> None:
        self._clear()
        sys.stderr.write(_harmless(text, sys.stderr) + "\n")

    def _progress(self, progress: Progress) -> None:
        now = time.monotonic()
        if not self._live or now < self._next_line:
            return
        self._next_line = now + _LINE_SECONDS
        seconds = now - self._started
        rate = progress.bytes_done / seconds if seconds else 0.0
        parts = [
            words.count(progress.files_done, "file"),
            words.size(progress.bytes_done),
            f"{words.size(rate)}/s",
        ]
        left = _seconds_left(progress, seconds)
        if left is not None:
            parts.append(f"about {words.duration(left)} left")
        sys.stderr.write(f"{_CLEAR_LINE}{', '.join(parts)}  {_short(progress.current)}")
        sys.stderr.flush()
        self._line_shown = True

    def _clear(self) -> None:
        if self._line_shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._line_shown = False


class JsonRender:
    """For programs: one object a line on standard output, failures too."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._next_status = 0.0

    def emit(self, event: Event) -> None:
        match event:
            case Progress():
                self._status(event)
            case ItemSkipped(path, reason, during):
                self._write(
                    {
                        "message_type": "error",
                        "error": {"message": reason},
                        "during": during,
                        "item": path,
                    }
                )
            case Notice(message):
                self._write({"message_type": "notice", "message": message})
            case _:
                assert_never(event)

    def show(self, record: Mapping[str, object], text: str) -> None:  # noqa: ARG002 - for people
        if record:
            self._write(record)

    def list_one(
        self,
        record: Callable[[], Mapping[str, object]],
        text: Callable[[], str],  # noqa: ARG002 - for people
    ) -> None:
        # Not sent on one by one: a long list would wait for the system at each of its lines.
        self._stream.write(_line(record()))

    def say(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        self._write({"message_type": "notice", "message": text})

    def failure(self, error: EverbootError) -> None:
        self._write(
            {
                "message_type": "exit_error",
                "code": error.exit_code,
                "error": error.code,
                "message": error.message,
                "hint": error.hint,
            }
        )

    def close(self) -> None:
        pass

    def _status(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next_status:
            return
        self._next_status = now + _STATUS_SECONDS
        seconds = now - self._started
        left = _seconds_left(progress, seconds)
        record: dict[str, object] = {
            "message_type": "status",
            "action": progress.phase,
            "seconds_elapsed": int(seconds),
            "percent_done": _share(progress),
            "total_files": progress.files_total,
            "files_done": progress.files_done,
            "total_bytes": progress.bytes_total,
            "bytes_done": progress.bytes_done,
            "current_files": [progress.current] if progress.current else [],
        }
        if left is not None:
            record["seconds_remaining"] = int(left)
        self._write(record)

    def _write(self, record: Mapping[str, object]) -> None:
        self._stream.write(_line(record))
        self._stream.flush()


def _harmless(text: str, stream: TextIO) -> str:
    """What names and paths put into a text can neither steer a terminal nor end the run."""
    if text.isascii() and text.isprintable():
        # As most of the lines of a long listing are.
        return text
    encoding = stream.encoding or "utf-8"
    return words.lines(text).encode(encoding, "backslashreplace").decode(encoding)


def _line(record: Mapping[str, object]) -> str:
    try:
        return _to_json(record).decode() + "\n"
    except UnicodeEncodeError:
        return _to_json(_encodable(record)).decode() + "\n"


def _encodable(value: object) -> object:
    """JSON knows no lone surrogates; they stand for bytes of names and are spelt out."""
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case Mapping():
            return {key: _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value


def _share(progress: Progress) -> float:
    """Between 0 and 1. Totals may be estimates: they never say done before it is."""
    if not progress.bytes_total:
        return 0.0
    return min(progress.bytes_done / progress.bytes_total, 0.99)


def _seconds_left(progress: Progress, seconds: float) -> float | None:
    if not progress.bytes_done or progress.bytes_total <= progress.bytes_done:
        return None
    return seconds * (progress.bytes_total - progress.bytes_done) / progress.bytes_done


def _short(path: str, width: int = 40) -> str:
    text = words.printable(path)
    return text if len(text) <= width else "…" + text[-width:]
