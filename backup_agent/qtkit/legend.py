"""What the marks of a picture mean."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from backup_agent.qtkit.controls import label
from backup_agent.qtkit.painted import Painted, stripes
from backup_agent.qtkit.tokens import Palette


class Mark(Enum):
    """How things are drawn in charts and on time lines."""

    FULL = "full"
    STRIPED = "striped"
    THIN = "thin"
    OUTLINED = "outlined"
    """Dotted: what will go."""
    FAILED = "failed"


class _Sample(Painted):
    def __init__(self, mark: Mark, palette: Palette) -> None:
        super().__init__(palette)
        self._mark = mark
        self.setFixedSize(QSize(12, 14))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        colours, area = self.colours, QRect(1, 2, 9, 10)
        painter = QPainter(self)
        match self._mark:
            case Mark.FULL:
                painter.fillRect(area, QColor(colours.d1))
            case Mark.THIN:
                painter.fillRect(QRect(4, 1, 3, 12), QColor(colours.d4))
            case Mark.STRIPED:
                painter.setPen(QColor(colours.warn))
                painter.setBrush(stripes(colours.warn, colours.surface))
                painter.drawRect(area)
            case Mark.FAILED:
                painter.setPen(QColor(colours.bad))
                painter.setBrush(QColor(colours.bad_soft))
                painter.drawRect(area)
            case Mark.OUTLINED:
                pen = QPen(QColor(colours.edge))
                pen.setStyle(Qt.PenStyle.DotLine)
                painter.setPen(pen)
                painter.drawRect(QRect(3, 1, 5, 11))
        painter.end()


class Legend(QWidget):
    """Samples with their words, side by side."""

    def __init__(self, marks: tuple[tuple[Mark, str], ...], palette: Palette) -> None:
        super().__init__()
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(6)
        for mark, words in marks:
            inside.addWidget(_Sample(mark, palette))
            inside.addWidget(label(words, "caption"))
            inside.addSpacing(8)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
