"""Steering QEMU from outside, by its QEMU Machine Protocol (QMP, docs/interop/qmp-spec).

One JSON object a line, both ways: QEMU greets, then answers each command with
``return`` or ``error``; events may come in between.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

from backup_agent.errors import CommandFailedError

_SILENCE_SECONDS = 60.0


def take_screenshot(monitor: Path, target: Path) -> None:
    """What the machine's screen shows now, as PNG. Raises :class:`CommandFailedError`."""
    execute(monitor, "screendump", {"filename": str(target), "format": "png"})


def execute(monitor: Path, command: str, arguments: dict[str, object]) -> object:
    """QEMU's answer. Raises :class:`CommandFailedError` with its words if it refuses."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_SILENCE_SECONDS)
            line.connect(str(monitor))
            with line.makefile("r", encoding="utf-8") as heard:
                answers = _answers(heard)
                _say(line, "qmp_capabilities", {})
                next(answers)
                _say(line, command, arguments)
                return next(answers)
    except (OSError, StopIteration) as exc:
        raise CommandFailedError("The virtual machine cannot be steered any more.") from exc


def _say(line: socket.socket, command: str, arguments: dict[str, object]) -> None:
    message = {"execute": command, "arguments": arguments}
    line.sendall(json.dumps(message).encode() + b"\n")


def _answers(heard: Iterator[str]) -> Iterator[object]:
    for text in heard:
        message = json.loads(text)
        if "error" in message:
            raise CommandFailedError(f"QEMU refused: {message['error']['desc']}")
        if "return" in message:
            yield message["return"]
