"""A small computer, and a repository in a folder that holds a backup of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backup_agent.repository.repository import create_repository
from backup_agent.storage.local import LocalBackend
from tests.command_line import PASSWORD, CommandLine
from tests.helpers.small_computer import SmallComputer, make_small_computer
from tests.points import WEAK


@dataclass(frozen=True, slots=True)
class BackedUp:
    """``computer`` as it was when the one restore point in ``repository`` was made."""

    computer: SmallComputer
    repository: Path
    password: str = PASSWORD


def back_up_computer(folder: Path, case: str) -> BackedUp:
    home = folder / "home"
    home.mkdir()
    shell = CommandLine(home)
    computer = make_small_computer(folder, case)
    empty_repository(shell.repository)
    shell.ok("backup", "--disk", computer.image)
    return BackedUp(computer, shell.repository)


def empty_repository(folder: Path) -> None:
    create_repository(LocalBackend(folder), PASSWORD, parameters=WEAK)
