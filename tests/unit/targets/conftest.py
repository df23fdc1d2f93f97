"""Folders that restored trees lie in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that an unprivileged user reaches too (those above pytest's own are private)."""
    with tempfile.TemporaryDirectory(prefix="everboot-open-") as folder:
        root = Path(folder)
        root.chmod(0o777)
        yield root
