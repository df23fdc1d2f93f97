"""``everboot gui``: the window that shows and steers this computer's backups."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from backup_agent.errors import UnsupportedError
from backup_agent.model.events import Emit, ignore

if TYPE_CHECKING:
    from backup_agent.services.repositories import Access


class CommandSession(Protocol):
    """What this command needs of the command line's session."""

    @property
    def environment(self) -> Mapping[str, str]: ...

    def access_to(self, address: str) -> Access: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hidden", action="store_true", help="begin as a sign in the tray, without the window"
    )


def run(args: argparse.Namespace, session: CommandSession) -> int:
    """Raises ``UnsupportedError`` where Qt is not installed."""
    if find_spec("PySide6") is None:
        raise UnsupportedError(
            "The window needs PySide6, which is not installed.",
            hint="Install Everboot with its windows: everboot[gui].",
        )
    from backup_agent.agent.assembly import outside_of_host, portable
    from backup_agent.gui.application import run_application

    # What the agent tells of, the window shows.
    emit: Emit = ignore
    outside = outside_of_host(session.environment, default_access=session.access_to, emit=emit)
    with portable(outside) as desk:
        return run_application(desk, session.environment, hidden=args.hidden)
