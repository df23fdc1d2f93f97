"""``everboot gui``: the window that shows and steers this computer's backups."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from backup_agent.errors import UnsupportedError

if TYPE_CHECKING:
    from backup_agent.services.repositories import Access


class CommandSession(Protocol):
    """What this command needs of the command line's session."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    def access_to(self, address: str) -> Access: ...

    def cacert(self) -> Path | None: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hidden", action="store_true", help="begin as a sign in the tray, without the window"
    )


def run(args: argparse.Namespace, session: CommandSession) -> int:
    """With the service's agent, else with one of its own, until somebody quits.

    Raises ``UnsupportedError`` where Qt is not installed, ``UsageError``, ``HostError``.
    """
    if find_spec("PySide6") is None:
        raise UnsupportedError(
            "The window needs PySide6, which is not installed.",
            hint="Install Everboot with its windows: everboot[gui].",
        )
    from backup_agent.agent.assembly import outside_of_host
    from backup_agent.agent.log import Log, log_file
    from backup_agent.agent.nearest_desk import nearest_desk
    from backup_agent.gui.application import run_application

    log = Log(log_file(session.environment), now=lambda: datetime.now().astimezone())
    outside = outside_of_host(
        session.environment,
        default_access=session.access_to,
        cacert=session.cacert(),
        emit=log.write,
    )
    with nearest_desk(outside) as desk:
        return run_application(desk, session.environment, hidden=args.hidden)
