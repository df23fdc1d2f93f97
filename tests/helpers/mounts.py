"""Restore points mounted by the command, as a process of its own, and looked at with the system."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.command_line import CommandLine

_SECONDS = 60
"""Only a bound for what never ends."""


@dataclass(slots=True)
class Mount:
    """``code`` and ``err`` are known once it has ended."""

    folder: Path
    process: subprocess.Popen[bytes]
    code: int | None = None
    err: str = ""
    records: list[dict[str, object]] = field(default_factory=list)

    def end(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)
        self.wait()

    def wait(self) -> None:
        out, err = self.process.communicate(timeout=_SECONDS)
        self.records += [json.loads(line) for line in out.splitlines()]
        self.code, self.err = self.process.returncode, err.decode()

    def told(self) -> str:
        """What it said of things that could not be read."""
        return json.dumps([r for r in self.records if r["message_type"] == "error"])


@contextmanager
def mounted(shell: CommandLine, point: str, folder: Path, *options: str) -> Iterator[Mount]:
    """The restore point in that folder; unmounted in the end."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("needs FUSE")
    # One that a killed mount left behind exists, but cannot be looked at.
    with suppress(FileExistsError):
        os.mkdir(folder)
    mount = Mount(folder, shell.start("mount", point, folder, "--json", *options))
    try:
        assert mount.process.stdout is not None
        first = json.loads(mount.process.stdout.readline() or b"{}")
        assert first.get("message_type") == "mounted", first
        mount.records.append(first)
        yield mount
    finally:
        if mount.code is None:
            mount.end()
    assert not os.path.ismount(folder)
