"""The list of pages at the left: names, or icons alone where the window is narrow."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from backup_agent.gui.places import Place, icon_of, name_of
from backup_agent.qtkit.controls import label
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.tokens import Palette

WIDE, NARROW = 208, 60
_ROW, _ICON = 42, 20
_Index = QModelIndex | QPersistentModelIndex


class _Places(QAbstractListModel):
    def __init__(self, places: tuple[Place, ...]) -> None:
        super().__init__()
        self.places = places
        self.marks: dict[Place, str] = {}

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(self.places)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = self.places[index.row()]
        name, mark = name_of(place), self.marks.get(place, "")
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return name
            case Qt.ItemDataRole.ToolTipRole:
                number = list(Place).index(place) + 1
                return tr("{name} (Ctrl+{number})", name=name, number=number)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{name}, {mark}" if mark else name
            case Qt.ItemDataRole.UserRole:
                return place
            case _:
                return None

    def mark(self, place: Place, words: str) -> None:
        if place in self.places and self.marks.get(place, "") != words:
            self.marks[place] = words
            index = self.index(self.places.index(place))
            self.dataChanged.emit(index, index)


class _PlaceDelegate(QStyledItemDelegate):
    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self.is_narrow = False

    def sizeHint(  # noqa: N802 - Qt's name
        self, _option: QStyleOptionViewItem, _index: _Index
    ) -> QSize:
        return QSize(_ROW, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        place = index.data(Qt.ItemDataRole.UserRole)
        model = index.model()
        assert isinstance(place, Place)
        assert isinstance(model, _Places)
        colours = self._palette
        state = option.state
        area = QRect(option.rect).adjusted(0, 1, 0, -1)
        is_here = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_here:
            painter.setBrush(QColor(colours.surface))
            painter.drawRoundedRect(area, 6, 6)
            painter.setBrush(QColor(colours.accent))
            painter.drawRoundedRect(
                QRect(area.left(), area.top() + 10, 3, area.height() - 20), 1, 1
            )
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            pen = painter.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(QColor(colours.focus))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)
        top = area.center().y() - _ICON // 2
        tone = colours.accent if is_here else colours.ink2
        icon(icon_of(place), tone).paint(painter, QRect(area.left() + 12, top, _ICON, _ICON))
        if not self.is_narrow:
            self._words(painter, area, place, model, is_here=is_here)
        painter.restore()

    def _words(
        self, painter: QPainter, area: QRect, place: Place, model: _Places, *, is_here: bool
    ) -> None:
        font = painter.font()
        font.setBold(is_here)
        painter.setFont(font)
        painter.setPen(QColor(self._palette.ink if is_here else self._palette.ink2))
        room = area.adjusted(44, 0, -8, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name_of(place))
        if not (mark := model.marks.get(place, "")):
            return
        font.setPointSizeF(9)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(mark) + 14
        chip = QRect(room.right() - width, area.center().y() - 9, width, 19)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._palette.accent_soft))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(QColor(self._palette.accent_ink))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, mark)


class Navigation(QFrame):
    """Settings stand apart at the bottom, as they do on every desktop."""

    wanted = Signal(object)
    """A ``Place``."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self.setProperty("role", "navigation")
        places = tuple(Place)
        self._models = (_Places(places[:-1]), _Places(places[-1:]))
        self._delegate = _PlaceDelegate(palette)
        names = (tr("Pages"), tr("More pages"))
        self._lists = tuple(
            self._list(model, says) for model, says in zip(self._models, names, strict=True)
        )
        self._foot = label("", "caption", wraps=True)
        self._foot.setContentsMargins(12, 0, 12, 0)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(8, 12, 8, 12)
        inside.addWidget(self._lists[0])
        inside.addStretch(1)
        inside.addWidget(self._foot)
        inside.addWidget(self._lists[1])
        self.set_narrow(narrow=False)

    def _list(self, model: _Places, says: str) -> QListView:
        made = QListView()
        made.setModel(model)
        made.setItemDelegate(self._delegate)
        made.setAccessibleName(says)
        made.setObjectName(says)
        made.setFixedHeight(_ROW * model.rowCount() + 4)
        made.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setTabKeyNavigation(False)
        made.selectionModel().currentChanged.connect(self._current_changed)
        made.clicked.connect(self._want)
        return made

    def show_place(self, place: Place) -> None:
        """That page is shown now."""
        for made, model in zip(self._lists, self._models, strict=True):
            selection = made.selectionModel()
            selection.blockSignals(True)
            if place in model.places:
                made.setCurrentIndex(model.index(model.places.index(place)))
            else:
                selection.clear()
            selection.blockSignals(False)
            made.viewport().update()

    def mark(self, place: Place, words: str) -> None:
        """A few words behind a name, ``1 running``; empty for none."""
        for model in self._models:
            model.mark(place, words)

    def show_foot(self, text: str) -> None:
        self._foot.setText(text)

    def set_narrow(self, *, narrow: bool) -> None:
        self._delegate.is_narrow = narrow
        self.setFixedWidth(NARROW if narrow else WIDE)
        self._foot.setVisible(not narrow)

    def focus_list(self) -> None:
        self._lists[0].setFocus()

    def _current_changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self._want(current)

    def _want(self, index: QModelIndex) -> None:
        self.wanted.emit(index.data(Qt.ItemDataRole.UserRole))
