"""Restore points on a line of days; the arrows go from one to the next."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip

from backup_agent.qtkit import dates, words
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.painted import Painted, stripes
from backup_agent.qtkit.tokens import Palette

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FOOT = 26
_TALL, _SHORT = 34, 22
_BAR = 4
_REACH = 8
"""Pixels beside a bar that still mean it."""


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One restore point. ``is_whole``: nothing was left out; ``is_machine`` makes it tall."""

    id: str
    time: datetime
    is_machine: bool
    is_whole: bool
    words: str


@dataclass(frozen=True, slots=True)
class _Window:
    """The stretch that is shown."""

    start: datetime
    days: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


class TimeLine(Painted):
    """Shows ``days`` days of any number of points, oldest first; painting looks at those alone."""

    chosen = Signal(str)
    """The id of the point that was gone to."""

    def __init__(self, palette: Palette, *, days: int = 14) -> None:
        super().__init__(palette, takes_keys=True)
        self._points: tuple[TimePoint, ...] = ()
        self._times: list[datetime] = []
        self._today: date | None = None
        self._days = days
        self._current = -1
        self._window = _Window(_LONG_AGO, days)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_TALL + _FOOT + 16)
        self._tell()

    @property
    def current(self) -> TimePoint | None:
        return self._points[self._current] if self._current >= 0 else None

    def show_points(
        self, points: tuple[TimePoint, ...], *, current: str = "", today: date | None = None
    ) -> None:
        """``current`` is an id; the newest, if it is not among them."""
        self._points = points
        self._today = today
        self._times = [point.time for point in points]
        found = (n for n, point in enumerate(points) if point.id == current)
        self._current = next(found, len(points) - 1)
        self._look_at_current(anew=True)
        self._tell()
        self.update()

    def show_days(self, days: int) -> None:
        self._days = days
        self._look_at_current(anew=True)
        self.update()

    def go(self, steps: int) -> None:
        """To a neighbour; ``chosen`` tells."""
        self.go_to(self._current + steps)

    def go_to(self, number: int) -> None:
        number = max(0, min(len(self._points) - 1, number))
        if not self._points or number == self._current:
            return
        self._current = number
        self._look_at_current()
        self._tell()
        self.update()
        self.chosen.emit(self._points[number].id)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(600, _TALL + _FOOT + 16)

    def _tell(self) -> None:
        count = len(self._points)
        said = trn("Time line, {number} restore point", "Time line, {number} restore points", count)
        self.say(said, self.current.words if self.current else tr("None yet"))

    def _look_at_current(self, *, anew: bool = False) -> None:
        """Move the window only if the point has left it: what stands still is easier to read."""
        point = self.current
        if point is None:
            return
        window = self._window
        if not anew and window.start <= point.time < window.end:
            return
        midnight = point.time.replace(hour=0, minute=0, second=0, microsecond=0)
        last = self._points[-1].time.replace(hour=0, minute=0, second=0, microsecond=0)
        ahead = 0 if anew and (last - midnight).days < self._days else self._days // 2
        day = min(last, midnight + timedelta(days=ahead)) if not anew or ahead else last
        self._window = _Window(day - timedelta(days=self._days - 1), self._days)

    # Drawing

    def _line(self) -> QRect:
        return self.rect().adjusted(4, 8, -4, -_FOOT)

    def _place(self, time: datetime) -> int:
        line = self._line()
        share = (time - self._window.start) / timedelta(days=self._window.days)
        return line.left() + int(share * line.width())

    def _shown(self) -> range:
        if not self._points:
            return range(0)
        first = bisect_left(self._times, self._window.start)
        return range(first, bisect_left(self._times, self._window.end))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        if not self._points:
            return
        painter = QPainter(self)
        font = painter.font()
        font.setPointSizeF(9)
        painter.setFont(font)
        self._paint_days(painter)
        drawn: set[int] = set()
        for number in self._shown():
            # Where hundreds fall on one pixel, one bar tells as much as all of them.
            place = self._place(self._points[number].time)
            if place not in drawn or number == self._current:
                self._paint_point(painter, number, place)
                drawn.add(place)
        painter.end()

    def _paint_days(self, painter: QPainter) -> None:
        line = self._line()
        painter.setPen(QColor(self.colours.edge))
        painter.drawLine(line.left(), line.bottom(), line.right(), line.bottom())
        every = max(1, self._window.days * 64 // max(1, line.width()))
        current = self.current
        for number in range(0, self._window.days, every):
            start = self._window.start + timedelta(days=number)
            left, right = self._place(start), self._place(start + timedelta(days=every))
            painter.setPen(QColor(self.colours.line))
            painter.drawLine(left, line.top(), left, line.bottom())
            is_current = current is not None and current.time.date() == start.date()
            painter.setPen(QColor(self.colours.accent if is_current else self.colours.ink3))
            text = dates.weekday(start) if every == 1 else dates.day(start)
            if start.date() == self._today:
                text = tr("Today")
            place = QRect(left, line.bottom() + 4, right - left, _FOOT - 6)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_point(self, painter: QPainter, number: int, place: int) -> None:
        point = self._points[number]
        height = _TALL if point.is_machine else _SHORT
        bottom = self._line().bottom()
        bar = QRect(place - _BAR // 2, bottom - height, _BAR, height)
        if point.is_whole:
            tone = self.colours.d1 if point.is_machine else self.colours.d4
            painter.fillRect(bar, QColor(tone))
        else:
            bar.adjust(-1, 0, 1, 0)
            painter.fillRect(bar, stripes(self.colours.warn, self.colours.surface))
            painter.setPen(QColor(self.colours.warn))
            painter.drawRect(bar)
        if number == self._current:
            ring = QPen(QColor(self.colours.focus if self.hasFocus() else self.colours.accent))
            ring.setWidth(3 if self.hasFocus() else 2)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(ring)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(bar.adjusted(-5, -4, 5, 3), 4, 4)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # Keys and pointer

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        match event.key():
            case Qt.Key.Key_Left:
                self.go(-1)
            case Qt.Key.Key_Right:
                self.go(1)
            case Qt.Key.Key_PageUp:
                self._go_by_window(-1)
            case Qt.Key.Key_PageDown:
                self._go_by_window(1)
            case Qt.Key.Key_Home:
                self.go_to(0)
            case Qt.Key.Key_End:
                self.go_to(len(self._points) - 1)
            case _:
                super().keyPressEvent(event)

    def _go_by_window(self, direction: int) -> None:
        if (point := self.current) is not None:
            wanted = point.time + direction * timedelta(days=self._days)
            self.go_to(bisect_left(self._times, wanted))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        number = self._point_near(event.position().toPoint())
        if number is not None:
            self.go_to(number)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self._point_near(event.pos())
            if number is not None:
                QToolTip.showText(event.globalPos(), self._points[number].words, self)
                return True
        return super().event(event)

    def _point_near(self, place: QPoint) -> int | None:
        near = [(abs(self._place(self._points[n].time) - place.x()), n) for n in self._shown()]
        distance, number = min(near, default=(_REACH + 1, -1))
        return number if distance <= _REACH else None


def point_words(time: datetime, *, what: str, size: int | None, is_whole: bool) -> str:
    """``Tue 10 Nov 2026, 18:02: Entire machine, 1.2 TB, complete``"""
    facts = [what]
    if size is not None:
        facts.append(words.size(size))
    facts.append(tr("complete") if is_whole else tr("something left out"))
    return f"{words.moment(time)}: {', '.join(facts)}"
