"""Programs that do nothing but remember that they were called."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest


class RecordedPrograms:
    """They come before the real ones; those in ``failing`` end with 1."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        names: Iterable[str],
        *,
        failing: Iterable[str] = (),
    ) -> None:
        self._log = folder / "calls"
        self._log.touch()
        failing = set(failing)
        for name in names:
            program = folder / name
            program.write_text(
                f'#!/bin/sh\necho "{name} $*" >> {shlex.quote(str(self._log))}\n'
                f"exit {int(name in failing)}\n"
            )
            program.chmod(stat.S_IRWXU)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    def calls(self) -> list[str]:
        return [line.strip() for line in self._log.read_text().splitlines()]
