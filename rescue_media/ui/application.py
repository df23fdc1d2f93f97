"""Starting Qt, and ending it so that nothing stays open."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from PySide6.QtWidgets import QApplication

from backup_agent.qtkit.theme import dress, system_palette
from rescue_media.errands.errands import Errands, Machine
from rescue_media.flow.pages import Flow, Surroundings
from rescue_media.ui.session import Session
from rescue_media.ui.window import RescueWindow

_WINDOW = (1024, 768)


def run_application(
    environment: Mapping[str, str], surroundings: Surroundings, *, full_screen: bool
) -> int:
    """Until the window is closed; the exit code."""
    application = QApplication([sys.argv[0]])
    palette = system_palette(application)
    dress(application, palette)
    errands = Errands(environment, Machine(on_medium=surroundings.on_medium))
    window = RescueWindow(Session(errands, Flow(surroundings=surroundings)), palette)
    if full_screen:
        window.showFullScreen()
    else:
        window.resize(*_WINDOW)
        window.show()
    return application.exec()
