"""Bars for what each day added, and thin ones for the time it took."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip

from backup_agent.qtkit import dates, words
from backup_agent.qtkit.history import Day, History, round_top
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.painted import Painted, stripes
from backup_agent.qtkit.state import State
from backup_agent.qtkit.tokens import Palette

_AXIS_WIDTH = 64
_FOOT = 22
_TIMES_SHARE = 0.28
_BETWEEN = 28
_DAYS_BETWEEN_LABELS = 7
_FAILED_HEIGHT = 14


class HistoryChart(Painted):
    """Left and Right go from day to day; what the day was is said and shown as a tool tip."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, takes_keys=True)
        self._history = History()
        self._current = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(180)
        self.show_history(History())

    def show_history(self, history: History) -> None:
        self._history = history
        self._current = len(history.days) - 1
        self._tell()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(420, 320)

    def _tell(self) -> None:
        current = self._history.days[self._current].words if self._history.days else ""
        self.say(tr("History: {words}", words=self._history.words), current)

    # Places

    def _plot(self) -> tuple[QRect, QRect]:
        """Where the sizes are drawn, and where the times are."""
        inside = self.rect().adjusted(2, 10, -_AXIS_WIDTH, -_FOOT)
        times = int(inside.height() * _TIMES_SHARE)
        sizes = inside.adjusted(0, 0, 0, -times - _BETWEEN)
        below = QRect(inside.left(), inside.bottom() - times, inside.width(), times)
        return sizes, below

    def _slot(self, number: int, area: QRect) -> QRect:
        """The room of one day within ``area``."""
        count = max(1, len(self._history.days))
        left = area.left() + number * area.width() // count
        right = area.left() + (number + 1) * area.width() // count
        return QRect(left, area.top(), right - left, area.height())

    def _day_at(self, place: QPoint) -> int | None:
        sizes, _ = self._plot()
        count = len(self._history.days)
        number = (place.x() - sizes.left()) * count // max(1, sizes.width())
        return number if 0 <= number < count else None

    # Drawing

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPointSizeF(9)
        painter.setFont(font)
        sizes, times = self._plot()
        most_bytes = round_top([float(day.added) for day in self._history.days])
        most_seconds = round_top([day.seconds for day in self._history.days], base=60)
        for share in (0.5, 1.0):
            self._axis(painter, sizes, share, words.size(most_bytes * share))
        self._axis(painter, times, 1.0, words.short_duration(most_seconds))
        for area in (sizes, times):
            self._axis(painter, area, 0.0, "0")
        for number, day in enumerate(self._history.days):
            self._bar(painter, day, self._slot(number, sizes), most_bytes)
            self._time(painter, day, self._slot(number, times), most_seconds)
            self._label(painter, day, number, times)
        if self._history.days:
            slot = self._slot(self._current, sizes)
            self.paint_focus(painter, slot.adjusted(-1, -4, 1, 4))
        painter.end()

    def _axis(self, painter: QPainter, area: QRect, share: float, text: str) -> None:
        height = area.bottom() - int(area.height() * share)
        pen = QPen(QColor(self.colours.line))
        if share:
            pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.drawLine(area.left(), height, area.right(), height)
        painter.setPen(QColor(self.colours.ink3))
        room = QRect(area.right() + 8, height - 10, _AXIS_WIDTH - 8, 20)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _bar(self, painter: QPainter, day: Day, slot: QRect, most: float) -> None:
        inside = slot.adjusted(2, 0, -2, 0)
        height = max(2, int(inside.height() * day.added / most))
        if day.state is State.PROBLEM:
            height = max(height, _FAILED_HEIGHT)
        bar = QRect(inside.left(), inside.bottom() - height + 1, inside.width(), height)
        match day.state:
            case None:
                painter.fillRect(bar.adjusted(0, height - 2, 0, 0), QColor(self.colours.edge))
            case State.WARNING:
                painter.setPen(QColor(self.colours.warn))
                painter.setBrush(stripes(self.colours.warn, self.colours.surface))
                painter.drawRect(bar)
            case State.PROBLEM:
                painter.setPen(QColor(self.colours.bad))
                painter.setBrush(QColor(self.colours.bad_soft))
                painter.drawRect(bar)
            case _:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self.colours.d1))
                painter.drawRoundedRect(bar, 2, 2)

    def _time(self, painter: QPainter, day: Day, slot: QRect, most: float) -> None:
        height = int(slot.height() * day.seconds / most)
        middle = slot.center().x()
        if height:
            painter.fillRect(middle, slot.bottom() - height, 2, height, QColor(self.colours.d4))

    def _label(self, painter: QPainter, day: Day, number: int, area: QRect) -> None:
        from_end = len(self._history.days) - 1 - number
        if from_end % _DAYS_BETWEEN_LABELS:
            return
        text = tr("Today") if from_end == 0 else dates.day(day.date)
        width = painter.fontMetrics().horizontalAdvance(text) + 4
        middle = self._slot(number, area).center().x()
        left = max(0, min(middle - width // 2, self.width() - width))
        painter.setPen(QColor(self.colours.ink3))
        place = QRect(left, area.bottom() + 4, width, _FOOT - 4)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    # Keys and pointer

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        last = len(self._history.days) - 1
        moves = {
            Qt.Key.Key_Left: self._current - 1,
            Qt.Key.Key_Right: self._current + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        to = moves.get(Qt.Key(event.key()))
        if to is None or not self._history.days:
            super().keyPressEvent(event)
            return
        self._current = max(0, min(last, to))
        self._tell()
        slot = self._slot(self._current, self._plot()[0])
        words_of_day = self._history.days[self._current].words
        QToolTip.showText(self.mapToGlobal(slot.center()), words_of_day, self)
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self._day_at(event.pos())
            if number is not None:
                QToolTip.showText(event.globalPos(), self._history.days[number].words, self)
                return True
        return super().event(event)
