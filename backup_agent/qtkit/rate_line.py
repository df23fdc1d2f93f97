"""How fast the last minutes went, as a line."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from backup_agent.qtkit import words
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.painted import Painted
from backup_agent.qtkit.tokens import Palette

SAMPLES = 120


class RateLine(Painted):
    """Bytes a second, oldest first; never more than :data:`SAMPLES`."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._rates: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(48)
        self.setMaximumWidth(320)
        self.show_rates(())

    def show_rates(self, rates: tuple[float, ...]) -> None:
        self._rates = rates[-SAMPLES:]
        newest = words.rate(rates[-1]) if rates else tr("not known yet")
        self.say(tr("Rate: {rate}", rate=newest))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(300, 48)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        if len(self._rates) < 2:
            return
        most = max(self._rates) or 1.0
        step = self.width() / (len(self._rates) - 1)
        room = self.height() - 4
        line = [QPointF(n * step, 2 + room * (1 - r / most)) for n, r in enumerate(self._rates)]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colours.d1_soft))
        corners = [QPointF(0, self.height()), *line, QPointF(self.width(), self.height())]
        painter.drawPolygon(QPolygonF(corners))
        pen = QPen(QColor(self.colours.d1))
        pen.setWidthF(1.5)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        painter.end()
