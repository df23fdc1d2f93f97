"""Starting Qt, and ending it so that nothing stays open."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import QApplication

from backup_agent.qtkit.theme import dress, system_palette
from rescue_media.errands.errands import Errands, Machine
from rescue_media.flow.pages import Flow, Surroundings
from rescue_media.ui.session import Session
from rescue_media.ui.shown_file import tell_what_is_shown
from rescue_media.ui.window import RescueWindow

_WINDOW = (1024, 768)
_DESIGNED_FOR = (1280, 800)
_LARGEST_SCALE = 3.0
_SCREENS = Path("/sys/class/drm")


def run_application(
    environment: Mapping[str, str], surroundings: Surroundings, *, full_screen: bool
) -> int:
    """Until the window is closed; the exit code."""
    if surroundings.on_medium:
        # Nobody has set up this screen, and Qt takes every one for a small one.
        os.environ.setdefault("QT_SCALE_FACTOR", str(screen_scale()))
    application = QApplication([sys.argv[0]])
    palette = system_palette(application)
    dress(application, palette)
    errands = Errands(environment, Machine(on_medium=surroundings.on_medium))
    session = Session(errands, Flow(surroundings=surroundings))
    window = RescueWindow(session, palette)
    tell_what_is_shown(window, session, environment)
    if surroundings.on_medium:
        window.watch()
    if full_screen:
        window.showFullScreen()
    else:
        window.resize(*_WINDOW)
        window.show()
    return application.exec()


def screen_scale(screens: Path = _SCREENS) -> float:
    """How much larger than designed everything is to be drawn, in quarters.

    The kernel lists the modes of a connected screen, its own first (``3840x2160``).
    """
    sizes = [found for modes in screens.glob("*/modes") if (found := _first_mode(modes))]
    if not sizes:
        return 1.0
    width, height = min(sizes)
    fits = min(width / _DESIGNED_FOR[0], height / _DESIGNED_FOR[1])
    return min(_LARGEST_SCALE, max(1.0, int(fits * 4) / 4))


def _first_mode(modes: Path) -> tuple[int, int] | None:
    first, _, _ = modes.read_text().partition("\n")
    width, _, height = first.rstrip("ip").partition("x")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else None
