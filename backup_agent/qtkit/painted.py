"""What the painted widgets share: a palette, words for those who hear them, a focus ring."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFocusEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from backup_agent.qtkit.tokens import Palette

_STRIPE = 6


class Painted(QWidget):
    """A widget drawn from one frozen value; subclasses paint and say it in words."""

    def __init__(self, palette: Palette, *, takes_keys: bool = False) -> None:
        super().__init__()
        self.colours = palette
        if takes_keys:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def say(self, name: str, details: str = "") -> None:
        """What the picture tells, in words."""
        self.setAccessibleName(name)
        self.setAccessibleDescription(details)

    def paint_focus(self, painter: QPainter, area: QRect) -> None:
        """A ring around ``area`` while the keys go here."""
        if not self.hasFocus():
            return
        pen = QPen(QColor(self.colours.focus))
        pen.setWidth(2)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), 4, 4)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 - Qt's name
        super().focusOutEvent(event)
        self.update()


def stripes(colour: str, ground: str) -> QBrush:
    """Diagonal: what is not whole must not be told by its colour alone."""
    tile = QPixmap(_STRIPE, _STRIPE)
    tile.fill(QColor(ground))
    painter = QPainter(tile)
    pen = QPen(QColor(colour))
    pen.setWidth(2)
    painter.setPen(pen)
    for shift in (-_STRIPE, 0, _STRIPE):
        painter.drawLine(shift, _STRIPE, shift + _STRIPE, 0)
    painter.end()
    return QBrush(tile)
