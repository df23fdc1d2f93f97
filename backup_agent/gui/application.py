"""Starting Qt around a desk, and ending it so that nothing stays open."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from types import FrameType

from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from backup_agent.agent.desk import Desk
from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.preferences import (
    Language,
    Preferences,
    Theme,
    load_preferences,
    preferences_file,
)
from backup_agent.gui.tray import Tray
from backup_agent.gui.window import MainWindow, Outside
from backup_agent.qtkit.language import speak
from backup_agent.qtkit.theme import dress, system_palette
from backup_agent.qtkit.tokens import DARK, FOR_POINTER, LIGHT, Palette

_SIZE = (1280, 800)
_SIGNALS_MILLISECONDS = 300


def run_application(desk: Desk, environment: Mapping[str, str], *, hidden: bool) -> int:
    """Until somebody quits; the exit code. ``hidden``: begin in the tray, if there is one."""
    application = QApplication([sys.argv[0]])
    application.setApplicationName("Everboot")
    application.setDesktopFileName("everboot")
    preferences = load_preferences(preferences_file(environment))
    use_language(preferences)
    palette = palette_of(preferences, application)
    dress(application, palette, density=FOR_POINTER)
    link = DeskLink(desk)
    look = _Look(application, preferences)
    window = MainWindow(link, palette, Outside(environment, wear=look.prefer))
    look.window = window
    tray = Tray(
        link,
        palette,
        Outside(environment).now,
        show_window=window.come_forward,
        end=window.end,
    )
    has_tray = QSystemTrayIcon.isSystemTrayAvailable()
    window.hides_when_closed = has_tray
    application.setQuitOnLastWindowClosed(not has_tray)
    window.ended.connect(application.quit)
    window.resize(*_SIZE)
    if has_tray:
        tray.sign.show()
    if not (hidden and has_tray):
        window.show()
    link.look()
    heed = _heed_signals(window)
    code = application.exec()
    heed.stop()
    link.close()
    return code


def use_language(preferences: Preferences) -> None:
    chosen = preferences.language
    speak(QLocale.system() if chosen is Language.SYSTEM else QLocale(chosen.value))


def palette_of(preferences: Preferences, application: QApplication) -> Palette:
    if preferences.theme is Theme.SYSTEM:
        return system_palette(application)
    return DARK if preferences.theme is Theme.DARK else LIGHT


class _Look:
    """Keeps the window's look what the system and the person want it to be."""

    def __init__(self, application: QApplication, preferences: Preferences) -> None:
        self._application, self._preferences = application, preferences
        self.window: MainWindow | None = None
        application.styleHints().colorSchemeChanged.connect(self._scheme_changed)

    def prefer(self, preferences: Preferences) -> None:
        self._preferences = preferences
        use_language(preferences)
        # The page that asked for it is drawn anew, too: not before it has ended asking.
        QTimer.singleShot(0, self._wear)

    def _scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._preferences.theme is Theme.SYSTEM:
            self._wear()

    def _wear(self) -> None:
        palette = palette_of(self._preferences, self._application)
        dress(self._application, palette, density=FOR_POINTER)
        if self.window is not None:
            self.window.wear(palette)


def _heed_signals(window: MainWindow) -> QTimer:
    """Python handles signals between two of its steps: it has to get some, now and then."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        window.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(_SIGNALS_MILLISECONDS)
    return timer
