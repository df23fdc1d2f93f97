"""The one door to the command line for tests: as a person or a script would use it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backup_agent.cli.main import run

PASSWORD = "correct horse"
_ROOT = Path(__file__).resolve().parents[1]
_OURS = ("EVERBOOT_", "RESTIC_", "AWS_", "OS_", "ST_", "PYTHON")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended and what it wrote. No command ever answers with a traceback."""

    code: int
    raw_out: bytes
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.err, self.err
        assert b"Traceback" not in self.raw_out, self.out

    @property
    def out(self) -> str:
        return self.raw_out.decode()

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as ``--json`` has it: one object a line, each with its type."""
        records = [json.loads(line) for line in self.out.splitlines()]
        assert all("message_type" in record for record in records)
        return records

    def of_type(self, message_type: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["message_type"] == message_type]


@dataclass(frozen=True)
class CommandLine:
    """A user's shell: a home of its own, and nothing of the tester's settings.

    ``repository`` stands in the environment, and its password with it. Processes
    are started by way of the command ``through``, if any.
    """

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    through: tuple[str, ...] = ()

    @property
    def repository(self) -> Path:
        return self.home / "repository"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        return {
            **kept,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            # Whoever runs the tests may have a keyring; it is not asked.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "EVERBOOT_REPOSITORY": str(self.repository),
            "EVERBOOT_PASSWORD": PASSWORD,
            **self.settings,
        }

    def having(self, **settings: str) -> CommandLine:
        """The same shell with other variables set; an empty one counts as unset."""
        return replace(self, settings={**self.settings, **settings})

    def run(self, *arguments: str | Path) -> Answer:
        """Within this process, which is ten times as fast."""
        out, err = _stream(), _stream()
        with (
            patch.dict(os.environ, self.environment(), clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run([str(argument) for argument in arguments])
        return Answer(code, _bytes_of(out), _bytes_of(err).decode())

    def ok(self, *arguments: str | Path) -> Answer:
        answer = self.run(*arguments)
        assert answer.code == 0, answer.out + answer.err
        return answer

    def spawn(self, *arguments: str | Path) -> Answer:
        """As a process of its own."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Answer(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """As a process that the test talks to; it must be waited for."""
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self.through, sys.executable, "-m", "backup_agent", *map(str, arguments)]


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _bytes_of(stream: io.TextIOWrapper) -> bytes:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()
