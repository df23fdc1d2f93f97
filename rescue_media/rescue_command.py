"""``everboot rescue``: the restore application, full screen on the bootable key."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from backup_agent.errors import EverbootError, UnsupportedError
from backup_agent.model.media import MediaSettings
from backup_agent.services.media.slot import settings_in
from rescue_media.flow.pages import Surroundings

_MEDIUM = Path("/run/everboot/medium")
_LAYOUT_NAMES = {"us": "EN-US", "gb": "EN-GB"}
_SLOT = _MEDIUM / "everboot" / "settings"


class CommandSession(Protocol):
    """What this command needs of the command line's session."""

    @property
    def environment(self) -> Mapping[str, str]: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--full-screen", action="store_true", help="as on the rescue media; there it is always so"
    )


def run(args: argparse.Namespace, session: CommandSession) -> int:
    """Raises ``UnsupportedError`` where Qt is not installed."""
    if find_spec("PySide6") is None:
        raise UnsupportedError(
            "The window needs PySide6, which is not installed.",
            hint="Install Everboot with its windows: everboot[gui].",
        )
    from rescue_media.ui.application import run_application

    found = surroundings(layout=session.environment.get("XKB_DEFAULT_LAYOUT", ""))
    return run_application(
        session.environment, found, full_screen=args.full_screen or found.on_medium
    )


def surroundings(slot: Path = _SLOT, *, layout: str = "") -> Surroundings:
    """Where we run; ``layout`` is the keyboard's, as XKB names it.

    A damaged slot carries nothing: everything in it can be typed, too.
    """
    settings = MediaSettings()
    with contextlib.suppress(OSError, EverbootError):
        settings = settings_in(slot.read_bytes())
    return Surroundings(
        on_medium=_MEDIUM.is_dir(),
        keyboard=_LAYOUT_NAMES.get(layout, layout.upper()),
        media=settings,
    )
