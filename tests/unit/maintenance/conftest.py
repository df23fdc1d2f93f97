"""For all that keeps a repository in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from .workshop import make_locks_impatient


@pytest.fixture(autouse=True)
def _impatient_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    make_locks_impatient(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is backed up; the tests fill it."""
    return tmp_path / "source"
