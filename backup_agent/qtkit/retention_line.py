"""Which restore points stay and which go, on one line of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from backup_agent.qtkit import dates
from backup_agent.qtkit.language import trn
from backup_agent.qtkit.painted import Painted
from backup_agent.qtkit.tokens import Palette

_TALL, _SHORT, _BAR = 32, 24, 4
_FOOT = 22


@dataclass(frozen=True, slots=True)
class Judged:
    """A restore point of that moment, and whether it stays."""

    time: datetime
    stays: bool


class RetentionLine(Painted):
    """The newest on the right; every bar gets the same room, for days are not what is asked."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._points: tuple[Judged, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_TALL + _FOOT + 8)
        self.show_points(())

    def show_points(self, points: tuple[Judged, ...]) -> None:
        """Oldest first."""
        self._points = points
        stay = sum(point.stays for point in points)
        self.say(
            trn("{number} restore point stays", "{number} restore points stay", stay)
            + ", "
            + trn("{number} goes", "{number} go", len(points) - stay)
        )
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(480, _TALL + _FOOT + 8)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        font = painter.font()
        font.setPointSizeF(9)
        painter.setFont(font)
        bottom = self.height() - _FOOT
        painter.setPen(QColor(self.colours.line))
        painter.drawLine(0, bottom, self.width(), bottom)
        dashed = QPen(QColor(self.colours.edge))
        dashed.setStyle(Qt.PenStyle.DotLine)
        width = min(_BAR, max(1, self.width() // max(1, len(self._points)) - 1))
        for number, point in enumerate(self._points):
            left = self._left(number)
            if point.stays:
                painter.fillRect(left, bottom - _TALL, width, _TALL, QColor(self.colours.d1))
            else:
                painter.setPen(dashed)
                painter.drawRect(left, bottom - _SHORT, width, _SHORT)
        self._label_ends(painter, bottom)
        painter.end()

    def _left(self, number: int) -> int:
        room = self.width() - _BAR - 2
        return 1 + number * room // max(1, len(self._points) - 1)

    def _label_ends(self, painter: QPainter, bottom: int) -> None:
        if not self._points:
            return
        place = QRect(0, bottom + 4, self.width(), _FOOT - 4)
        painter.setPen(QColor(self.colours.ink3))
        first, last = self._points[0].time, self._points[-1].time
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, dates.long_day(first))
        painter.drawText(place, Qt.AlignmentFlag.AlignRight, dates.long_day(last))
