"""The medium learns that the window can be seen, once it can and not before."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from rescue_media.ui.first_paint import VARIABLE, report_when_shown


def test_the_file_is_made_when_the_window_was_drawn_and_not_before(
    qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "window"
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    report_when_shown(window, {VARIABLE: str(file)})
    assert not file.exists()
    window.show()
    qtbot.waitUntil(file.exists)


def test_without_anybody_waiting_nothing_is_reported(qtbot: QtBot, tmp_path: Path) -> None:
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    report_when_shown(window, {})
    with qtbot.waitExposed(window):
        window.show()
    assert list(tmp_path.iterdir()) == []
