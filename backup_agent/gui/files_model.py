"""The items of one folder as a table with ticks, given to the view in parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont

from backup_agent.gui.shelf import FileRow
from backup_agent.model.snapshot import Snapshot
from backup_agent.qtkit import dates, words
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.tokens import Palette
from backup_agent.services.browse import TreePath
from backup_agent.services.versions import NameHistory

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_PART = 500
NAME, SIZE, CHANGED, VERSIONS = range(4)


class FilesModel(QAbstractTableModel):
    """``rows`` may be 100,000: the view learns of 500 at a time, as it comes to them.

    Ticks belong to paths, not to rows: they stay when another folder is shown.
    """

    ticked = Signal()

    def __init__(self, palette: Palette, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._palette, self._now = palette, now
        self._rows: tuple[FileRow, ...] = ()
        self._shown = 0
        self._is_inserting = False
        self._history: Mapping[bytes, NameHistory] = {}
        self.chosen: dict[TreePath, FileRow] = {}
        self._italic = QFont()
        self._italic.setItalic(True)

    def show_rows(self, rows: tuple[FileRow, ...]) -> None:
        self.beginResetModel()
        self._rows, self._history = rows, {}
        self._shown = min(_PART, len(rows))
        self.endResetModel()

    def show_history(self, history: Mapping[bytes, NameHistory]) -> None:
        """How many versions each name has."""
        self._history = history
        if self._shown:
            self.dataChanged.emit(self.index(0, NAME), self.index(self._shown - 1, VERSIONS))

    @property
    def rows(self) -> tuple[FileRow, ...]:
        return self._rows

    def row_at(self, row: int) -> FileRow:
        return self._rows[row]

    def forget_ticks(self) -> None:
        self.chosen = {}
        self._tell_ticks()

    def tick_all(self, *, ticked: bool) -> None:
        """All of the folder, also what the view does not know yet."""
        for row in self._rows:
            if ticked:
                self.chosen[row.path] = row
            else:
                self.chosen.pop(row.path, None)
        self._tell_ticks()

    def tick(self, row: int, *, ticked: bool) -> None:
        item = self._rows[row]
        if ticked:
            self.chosen[item.path] = item
        else:
            self.chosen.pop(item.path, None)
        index = self.index(row, NAME)
        self.dataChanged.emit(index, self.index(row, VERSIONS))
        self.ticked.emit()

    def _tell_ticks(self) -> None:
        if self._shown:
            self.dataChanged.emit(self.index(0, NAME), self.index(self._shown - 1, VERSIONS))
        self.ticked.emit()

    # Parts

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else self._shown

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else 4

    def canFetchMore(self, parent: _Index) -> bool:  # noqa: N802 - Qt's name
        has_more = self._shown < len(self._rows)
        return not parent.isValid() and has_more and not self._is_inserting

    def fetchMore(self, parent: _Index) -> None:  # noqa: N802 - Qt's name
        if not self.canFetchMore(parent):
            return
        last = min(self._shown + _PART, len(self._rows))
        # Whoever listens may ask for more before these have come.
        self._is_inserting = True
        self.beginInsertRows(QModelIndex(), self._shown, last - 1)
        self._shown = last
        self.endInsertRows()
        self._is_inserting = False

    # What is shown

    def flags(self, index: _Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.column() == NAME and self._rows[index.row()].point is None:
            # What a search has found is gone to first: it may be of any restore point.
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == _Role.TextAlignmentRole and section in (SIZE, VERSIONS):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        titles = (tr("Name"), tr("Size"), tr("Changed"), tr("Versions"))
        return titles[section] if role == _Role.DisplayRole else None

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        row, column = self._rows[index.row()], index.column()
        match role:
            case _Role.DisplayRole:
                return self._text(row, column)
            case _Role.CheckStateRole if column == NAME and row.point is None:
                on = row.path in self.chosen
                return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            case _Role.DecorationRole if column == NAME:
                if row.is_folder:
                    return icon("folder", self._palette.d1)
                return icon("file", self._palette.ink3)
            case _Role.ToolTipRole if column == NAME:
                return self._tip(row)
            case _Role.AccessibleTextRole:
                kind = tr("folder") if row.is_folder else tr("file")
                facts = (self._text(row, SIZE), self._text(row, CHANGED))
                return ", ".join(filter(None, (row.name, kind, *facts)))
            case _Role.TextAlignmentRole if column in (SIZE, VERSIONS):
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case _Role.ForegroundRole if self._gone_since(row) is not None:
                return QColor(self._palette.bad)
            case _Role.FontRole if column == NAME and self._gone_since(row) is not None:
                return self._italic
            case _Role.BackgroundRole if row.path in self.chosen:
                return QColor(self._palette.accent_soft)
            case _:
                return None

    def setData(  # noqa: N802 - Qt's name
        self, index: _Index, value: object, role: int = _Role.EditRole
    ) -> bool:
        if role != _Role.CheckStateRole or index.column() != NAME:
            return False
        self.tick(index.row(), ticked=Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def _text(self, row: FileRow, column: int) -> str:
        match column:
            case 0:
                return self._name(row)
            case 1:
                return "" if row.is_folder else words.size(row.size)
            case 2:
                now = self._now()
                changed = datetime.fromtimestamp(row.mtime_ns / 1e9, now.tzinfo)
                return dates.stamp(changed, now)
            case _:
                found = self._history.get(row.path[-1])
                return "" if found is None or row.is_folder else words.number(found.versions)

    def _name(self, row: FileRow) -> str:
        if row.point is not None:
            return tr("{name} in {folder}", name=row.name, folder=_shown(row.path[:-1]))
        gone = self._gone_since(row)
        if gone is None:
            return row.name
        day = dates.day(gone.time.astimezone(self._now().tzinfo))
        return tr("{name} (deleted by {day})", name=row.name, day=day)

    def _gone_since(self, row: FileRow) -> Snapshot | None:
        """The first restore point without it, if the newest one has it no more."""
        found = self._history.get(row.path[-1])
        return found.gone_since if found is not None else None

    def _tip(self, row: FileRow) -> str:
        return _shown(row.path)


def _shown(path: TreePath) -> str:
    return "/" + b"/".join(path).decode("utf-8", "backslashreplace")
