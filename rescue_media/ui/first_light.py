"""The smallest window: proves that Qt draws and listens on this computer.

python3 -m rescue_media.ui.first_light
"""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QVBoxLayout, QWidget

from backup_agent import __version__
from rescue_media.ui.first_paint import report_when_shown

_WORDS = f"""\
<h1>Rescue Media</h1>
<p>Everboot {__version__}</p>
<p>The rescue terminal is on the second screen: Ctrl+Alt+F2.</p>"""


def first_light_window() -> QWidget:
    """A greeting, and a field that shows which keyboard layout is in force."""
    window = QWidget()
    window.setWindowTitle("Rescue Media")
    label = QLabel(_WORDS)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    field = QLineEdit()
    field.setPlaceholderText("Type here to try the keyboard")
    field.setAccessibleName("Keyboard trial")
    layout = QVBoxLayout(window)
    layout.addStretch()
    layout.addWidget(label)
    layout.addWidget(field, alignment=Qt.AlignmentFlag.AlignCenter)
    layout.addStretch()
    return window


def main() -> int:
    application = QApplication(sys.argv)
    window = first_light_window()
    report_when_shown(window, os.environ)
    window.showFullScreen()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
