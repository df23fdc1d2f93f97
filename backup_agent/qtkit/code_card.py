"""A code to be typed elsewhere: large, with the address and its QR picture."""

from __future__ import annotations

import segno
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_QUIET = 4
"""Modules of white around it, as ISO/IEC 18004 asks for."""


class QrPicture(QWidget):
    """The QR code of a text, black on white whatever the theme: cameras want it so."""

    def __init__(self, text: str, *, says: str, pixels: int = 220) -> None:
        super().__init__()
        code = segno.make(text, micro=False)
        self._rows = [bytes(row) for row in code.matrix]
        self._pixels = pixels
        self.setAccessibleName(says)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(QSize(pixels, pixels))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        across = len(self._rows) + 2 * _QUIET
        module = self._pixels // across
        margin = (self._pixels - module * len(self._rows)) // 2
        black = QColor(Qt.GlobalColor.black)
        for down, row in enumerate(self._rows):
            for right, dark in enumerate(row):
                if dark:
                    painter.fillRect(
                        margin + right * module, margin + down * module, module, module, black
                    )
        painter.end()
