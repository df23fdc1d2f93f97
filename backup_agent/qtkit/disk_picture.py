"""The picture of one disk: a bar in proportion, painted from a :class:`DrawnDisk`."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from backup_agent.qtkit.drawn_disk import DrawnDisk, Stretch, stretches, width_of
from backup_agent.qtkit.tokens import Palette

_FOOT = 6
_TEXT_FROM = 90
_THIN = 28


class DiskPictureView(QWidget):
    """``height`` pixels high; text stands inside where there is room, else in the table beside."""

    def __init__(self, disk: DrawnDisk, palette: Palette, *, height: int = 56) -> None:
        super().__init__()
        self._disk = disk
        self._palette = palette
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(height)
        self.setAccessibleName(disk.words)
        self.setToolTip("")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(240, self._height)

    def show_disk(self, disk: DrawnDisk) -> None:
        self._disk = disk
        self.setAccessibleName(disk.words)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for stretch in stretches(self._disk, width_of(self._disk, self.width())):
            self._paint(painter, stretch)
        painter.end()

    def _paint(self, painter: QPainter, stretch: Stretch) -> None:
        area = QRect(stretch.left, 0, stretch.width, self._height)
        colours = self._palette
        if stretch.volume is None:
            pen = QPen(QColor(colours.edge))
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.setBrush(QColor(colours.free))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 3, 3)
            return
        full, soft = tone_colours(stretch.volume.tone, colours)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(soft))
        painter.drawRoundedRect(area, 3, 3)
        painter.setBrush(QColor(full))
        foot = self._height if self._height <= _THIN else _FOOT
        painter.drawRect(QRect(area.left(), area.bottom() - foot + 1, stretch.used, foot))
        painter.drawRect(QRect(area.left(), 0, area.width(), 2))
        if stretch.width >= _TEXT_FROM and self._height > _THIN:
            painter.setPen(QColor(colours.ink))
            inside = area.adjusted(8, 6, -8, -_FOOT - 2)
            text = painter.fontMetrics().elidedText(
                stretch.volume.words, Qt.TextElideMode.ElideRight, inside.width()
            )
            painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text)


def tone_colours(tone: int, palette: Palette) -> tuple[str, str]:
    """(of what is used, of what is free)"""
    return (
        (palette.d1, palette.d1_soft),
        (palette.d2, palette.d2_soft),
        (palette.d3, palette.d3_soft),
        (palette.d4, palette.d4_soft),
    )[(tone - 1) % 4]
