"""Telling the medium that the window can be seen.

Who started the window names a file in the environment; it is made once the
window was drawn for the first time. ``everboot iso test`` waits for it, and the
medium tries another way of showing the window when it never comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

VARIABLE = "EVERBOOT_WINDOW_SHOWN"


class _FirstPaint(QObject):
    """Owned by the window; removes itself once it has reported."""

    def __init__(self, window: QWidget, file: Path) -> None:
        super().__init__(window)
        self._file = file
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # The event comes before the drawing; what is queued now comes after it.
            QTimer.singleShot(0, self._report)
        return False

    def _report(self) -> None:
        self._file.touch()
        self.deleteLater()


def report_when_shown(window: QWidget, environment: Mapping[str, str]) -> None:
    """Make the file that the environment names, if it does, once the window was drawn."""
    if name := environment.get(VARIABLE):
        _FirstPaint(window, Path(name))
