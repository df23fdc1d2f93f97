"""Where an assistant stands: done, now, still to come."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.painted import Painted
from backup_agent.qtkit.tokens import Palette

_BALL, _GAP, _BETWEEN = 24, 8, 28


class StepList(Painted):
    """``current`` counts from 0."""

    def __init__(self, steps: tuple[str, ...], palette: Palette) -> None:
        super().__init__(palette)
        self._steps = steps
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_step(0)

    def show_step(self, current: int) -> None:
        self._current = current
        self.say(
            tr(
                "Step {number} of {count}: {name}",
                number=current + 1,
                count=len(self._steps),
                name=self._steps[current],
            )
        )
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        widths = [self.fontMetrics().horizontalAdvance(step) for step in self._steps]
        return QSize(sum(widths) + len(widths) * (_BALL + _GAP + _BETWEEN), _BALL)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(200, _BALL)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 0
        for number, name in enumerate(self._steps):
            self._ball(painter, QRect(left, 0, _BALL, _BALL), number)
            left += _BALL + _GAP
            font = painter.font()
            font.setBold(number == self._current)
            painter.setFont(font)
            is_past = number <= self._current
            painter.setPen(QColor(self.colours.ink if is_past else self.colours.ink3))
            width = painter.fontMetrics().horizontalAdvance(name) + 2
            painter.drawText(QRect(left, 0, width, _BALL), Qt.AlignmentFlag.AlignVCenter, name)
            left += width + _BETWEEN
        painter.end()

    def _ball(self, painter: QPainter, area: QRect, number: int) -> None:
        is_done, is_now = number < self._current, number == self._current
        ground = self.colours.sunk
        if is_done:
            ground = self.colours.ok_soft
        elif is_now:
            ground = self.colours.accent
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawEllipse(area)
        if is_done:
            icon("check", self.colours.ok, pixels=16).paint(painter, area.adjusted(5, 5, -5, -5))
            return
        painter.setPen(QColor(self.colours.on_accent if is_now else self.colours.ink3))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(number + 1))
