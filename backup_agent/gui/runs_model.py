"""Past runs as a table that asks for older ones when somebody scrolls there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont

from backup_agent.agent.ran import RunPage, RunView
from backup_agent.gui.sentences import outcome_state, past_job_words
from backup_agent.qtkit import dates, words
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.state import State, colours_of, icon_of
from backup_agent.qtkit.tokens import Palette

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_NUMBERS = (3, 4, 5)
_NOTHING = "-"


class RunsModel(QAbstractTableModel):
    """``wants_more`` is followed by one call of :meth:`add_page`."""

    wants_more = Signal(object)
    """The moment before which runs are wanted."""

    def __init__(self, palette: Palette, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._palette, self._now = palette, now
        self._runs: list[RunView] = []
        self._has_more = self._is_waiting = False

    def show_page(self, page: RunPage) -> None:
        """The newest; what was loaded before is kept where the page joins it."""
        known = {run.id for run in page.runs}
        older = [run for run in self._runs if run.id not in known]
        joins = len(older) < len(self._runs) and (not page.runs or not older or self._joins(page))
        self.beginResetModel()
        self._runs = [*page.runs, *older] if joins else list(page.runs)
        self._has_more = self._has_more if joins and older else page.more
        self._is_waiting = False
        self.endResetModel()

    def _joins(self, page: RunPage) -> bool:
        oldest = page.runs[-1].started_at
        return any(run.started_at <= oldest for run in self._runs)

    def add_page(self, page: RunPage) -> None:
        """Older ones."""
        self._is_waiting, self._has_more = False, page.more
        if not page.runs:
            return
        first = len(self._runs)
        self.beginInsertRows(QModelIndex(), first, first + len(page.runs) - 1)
        self._runs += page.runs
        self.endInsertRows()

    def run_at(self, row: int) -> RunView:
        return self._runs[row]

    def row_of(self, run_id: str) -> int:
        """-1 for one that is not there."""
        return next((row for row, run in enumerate(self._runs) if run.id == run_id), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(_titles())

    def canFetchMore(self, parent: _Index) -> bool:  # noqa: N802 - Qt's name
        return not parent.isValid() and self._has_more and not self._is_waiting

    def fetchMore(self, parent: _Index) -> None:  # noqa: N802 - Qt's name
        if self.canFetchMore(parent):
            self._is_waiting = True
            self.wants_more.emit(self._runs[-1].started_at)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == _Role.TextAlignmentRole and section in _NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return _titles()[section] if role == _Role.DisplayRole else None

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        run, column = self._runs[index.row()], index.column()
        match role:
            case _Role.DisplayRole:
                return self._texts(run)[column]
            case _Role.AccessibleTextRole:
                return ", ".join(filter(None, self._texts(run)))
            case _Role.ToolTipRole:
                return run.plan_name if column == 1 else None
            case _Role.TextAlignmentRole if column in _NUMBERS:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            case _Role.DecorationRole if column == 0:
                state, _ = self._state(run)
                return icon(icon_of(state), colours_of(state, self._palette)[0])
            case _Role.ForegroundRole if column == 0:
                return QColor(colours_of(self._state(run)[0], self._palette)[0])
            case _Role.FontRole if column in (0, 1):
                font = QFont()
                font.setWeight(QFont.Weight.DemiBold)
                return font
            case _:
                return None

    def _state(self, run: RunView) -> tuple[State, str]:
        if run.ran is None:
            return State.RUNNING, tr("Running")
        return outcome_state(run.ran.outcome)

    def _texts(self, run: RunView) -> tuple[str, ...]:
        now = self._now()
        started = dates.stamp(run.started_at.astimezone(now.tzinfo), now)
        took = added = files = ""
        if (ran := run.ran) is not None:
            took = words.short_duration((ran.ended_at - run.started_at).total_seconds())
            added = words.size(ran.bytes_added) if ran.snapshot else _NOTHING
            files = words.number(ran.files) if ran.files else _NOTHING
        job = past_job_words(run.kind, run.plan_name)
        return self._state(run)[1], job, started, took, added, files


def _titles() -> tuple[str, ...]:
    return tr("Result"), tr("Job"), tr("Started"), tr("Took"), tr("Added"), tr("Files")
