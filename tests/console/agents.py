"""A real agent on a real, linked device, for tests against a console that runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from tests.command_line import CommandLine

# So large that nobody's computer is done with it before it is asked to stop; it holds no data.
_LARGE_BYTES = 1 << 40


@dataclass(frozen=True, slots=True)
class LinkedShell:
    """The shell of a computer that is linked, with a vault and a folder to back up."""

    shell: CommandLine

    @property
    def folder(self) -> Path:
        return self.shell.home / "projects"

    def make_backup_endless(self) -> None:
        with (self.folder / "large").open("wb") as large:
            large.truncate(_LARGE_BYTES)

    @contextmanager
    def agent(self) -> Iterator[Popen[bytes]]:
        process = self.shell.start("agent", "--json")
        try:
            assert process.stdout is not None
            assert b'"linked":true' in process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.communicate()


def linked_shell(home: Path, address: str, approve: Callable[[str], None]) -> LinkedShell:
    """Link it, make its repository and a plan; ``approve`` gets the code that it shows."""
    home.mkdir()
    shell = CommandLine(home).having(
        EVERBOOT_REPOSITORY="", XDG_STATE_HOME=str(home / ".local" / "state")
    )
    asking = shell.start("link", address, "--json", "--name", "ATELIER-01")
    assert asking.stdout is not None
    approve(json.loads(asking.stdout.readline())["user_code"])
    _out, err = asking.communicate(timeout=60)
    assert asking.returncode == 0, err.decode()
    made = LinkedShell(shell)
    made.folder.mkdir()
    (made.folder / "plan.txt").write_text("a roof")
    shell.ok("init")
    shell.ok("plan", "add", "Projects", made.folder)
    return made
