"""A shell in an empty home, and one repository that all tests copy instead of making it anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from backup_agent.repository.repository import create_repository
from backup_agent.storage.local import LocalBackend
from tests.command_line import PASSWORD, CommandLine
from tests.points import WEAK


@pytest.fixture
def shell(tmp_path: Path) -> CommandLine:
    """A home where nothing is."""
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A home with documents and two backups of them; not to be changed."""
    home = tmp_path_factory.mktemp("model")
    model = CommandLine(home)
    make_documents(home / "documents")
    create_repository(LocalBackend(model.repository), PASSWORD, parameters=WEAK)
    model.ok("backup", home / "documents")
    (home / "documents" / "new.txt").write_text("new")
    model.ok("backup", home / "documents")
    return model


@pytest.fixture
def used(model: CommandLine, tmp_path: Path) -> CommandLine:
    """The same home, a test's own: documents, and a repository with two restore points."""
    home = tmp_path / "home"
    shutil.copytree(model.home, home, symlinks=True)
    return CommandLine(home)


def make_documents(folder: Path) -> None:
    (folder / "letters").mkdir(parents=True)
    for number in range(3):
        (folder / "letters" / f"{number}.txt").write_text(f"letter {number}\n" * 50)
    (folder / "photo.jpg").write_bytes(os.urandom(1 << 20))
    (folder / "music.ogg").write_bytes(os.urandom(3 << 20))
