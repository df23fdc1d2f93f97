"""Folders that restored trees lie in."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that an unprivileged user reaches too (pytest's own are private)."""
    base = tmp_path_factory.getbasetemp()
    folders = [base, base.parent]
    modes = [stat.S_IMODE(folder.stat().st_mode) for folder in folders]
    root = tmp_path_factory.mktemp("open")
    root.chmod(0o777)
    for folder, mode in zip(folders, modes, strict=True):
        folder.chmod(mode | 0o011)
    try:
        yield root
    finally:
        for folder, mode in zip(folders, modes, strict=True):
            folder.chmod(mode)
