"""The state of everything, as one round sign."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.painted import Painted
from backup_agent.qtkit.state import State, colours_of, icon_of
from backup_agent.qtkit.tokens import Palette

_ACROSS, _MARK = 56, 30


class StateEmblem(Painted):
    """Beside a sentence that says the same; ``symbol`` instead of the state's own, where given."""

    def __init__(self, state: State, palette: Palette, *, says: str, symbol: str = "") -> None:
        super().__init__(palette)
        self.setFixedSize(QSize(_ACROSS, _ACROSS))
        self.show_state(state, says=says, symbol=symbol)

    def show_state(self, state: State, *, says: str, symbol: str = "") -> None:
        self._state = state
        self._symbol = symbol or icon_of(state)
        self.say(says)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        mark, ground, _ = colours_of(self._state, self.colours)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawEllipse(self.rect())
        room = (_ACROSS - _MARK) // 2
        icon(self._symbol, mark, pixels=32).paint(painter, QRect(room, room, _MARK, _MARK))
        painter.end()
