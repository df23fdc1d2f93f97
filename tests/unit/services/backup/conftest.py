"""A folder to back up and a repository in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.repository.repository import Repository
from tests.points import (
    new_repository,
)
from tests.trees import Content, File, Folder, Link, plant


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    plant(
        Folder(
            {
                b"a": File(Content(1, 1000)),
                b"b": File(Content(2, 2_000_000)),
                b"empty": File(Content(1, 0)),
                b"inner": Folder({b"c": File(Content(3, 10)), b"link": Link(b"../a")}),
            }
        ),
        bytes(folder),
    )
    return folder


@pytest.fixture
def repository() -> Repository:
    return new_repository()
