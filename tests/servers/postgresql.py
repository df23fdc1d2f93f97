"""A PostgreSQL cluster of the tests' own, reached through a socket in its folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import Command, run, running

_ADMINISTRATOR = "everboot"


@dataclass(frozen=True, slots=True)
class Postgresql:
    """``folder`` holds the socket; ``user`` may make databases and needs no password."""

    folder: Path
    user: str = _ADMINISTRATOR


@contextlib.contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A cluster for the length of the block. It refuses to run as root: root lends it a user."""
    # Not below pytest's folder: others may not enter that, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="everboot-pg-"))
    try:
        _hand_over(folder)
        data = folder / "data"
        make = (_program("initdb"), "--pgdata", data, "--username", _ADMINISTRATOR)
        run(
            _unprivileged((*make, "--auth", "trust", "--no-sync", "--locale", "C.UTF-8")),
            folder=folder,
        )
        settings = ("listen_addresses=", f"unix_socket_directories={folder}", "fsync=off")
        serve: list[str | Path] = [_program("postgres"), "-D", data]
        for setting in settings:
            serve += ["-c", setting]
        with running(_unprivileged(serve), folder=folder, name="postgres") as server:
            ready = (_program("pg_isready"), "--quiet", "--host", folder)
            server.wait_until(lambda: _succeeds(ready, folder))
            yield Postgresql(folder)
    finally:
        shutil.rmtree(folder)


def _succeeds(command: Command, folder: Path) -> bool:
    try:
        run(command, folder=folder)
    except AssertionError:
        return False
    return True


def _program(name: str) -> Path:
    """Debian keeps the server's programs off the search path, one folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found[-1] if found else Path(name)


def _hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)


def _unprivileged(command: Command) -> Command:
    if os.geteuid() != 0:
        return command
    # The kernel forgets "die with your parent" when a process changes its user: said again.
    lent = ("--reuid", "postgres", "--regid", "postgres", "--init-groups", "--pdeathsig", "KILL")
    return ("setpriv", *lent, *command)
