"""Activity: what runs now, what ran before, and everything that was left out."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QHeaderView, QTreeView

from backup_agent.agent.desk import DeskState
from backup_agent.agent.ran import JobKind, RunPage, RunQuery
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import Head, Page, card
from backup_agent.gui.pages.run_details import RunDetails
from backup_agent.gui.pages.running_card import RunningCards
from backup_agent.gui.runs_model import RunsModel
from backup_agent.qtkit.controls import label
from backup_agent.qtkit.language import tr

_JOB, _STARTED = 1, 2


class ActivityPage(Page):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, name=tr("Activity"), scrolls=False)
        self._number = -1
        self._wanted_run = ""
        self.body.addWidget(Head(tr("Activity")))
        self._running = RunningCards(ground)
        self.body.addLayout(self._running)
        self._idle = label(tr("Nothing runs now."), "secondary")
        self.body.addWidget(self._idle)
        frame, inside = card()
        top = QHBoxLayout()
        top.addWidget(label(tr("Past runs"), "heading"), stretch=1)
        self._which = self._filter()
        top.addWidget(self._which)
        inside.addLayout(top)
        self._model = RunsModel(ground.palette, ground.now)
        self._model.wants_more.connect(self._load_older)
        self._table = self._make_table()
        inside.addWidget(self._table, stretch=1)
        self._empty = label(tr("No run yet. A plan makes the first one."), "secondary")
        inside.addWidget(self._empty)
        self._details = RunDetails(ground)
        inside.addWidget(self._details)
        self.body.addWidget(frame, stretch=1)

    def _filter(self) -> QComboBox:
        which = QComboBox()
        which.setObjectName("which runs")
        which.setAccessibleName(tr("Which runs"))
        which.addItem(tr("Everything"), ())
        which.addItem(tr("Backups"), (JobKind.BACKUP,))
        which.addItem(tr("Checks and trial restores"), (JobKind.CHECK, JobKind.TRIAL))
        which.currentIndexChanged.connect(self._load)
        return which

    def _make_table(self) -> QTreeView:
        table = QTreeView()
        table.setObjectName("past runs")
        table.setAccessibleName(tr("Past runs. What was left out stands below"))
        table.setModel(self._model)
        table.setRootIsDecorated(False)
        table.setUniformRowHeights(True)
        table.setAllColumnsShowFocus(True)
        table.setTabKeyNavigation(False)
        table.setMinimumHeight(140)
        header = table.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_JOB, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentChanged.connect(self._show_current)
        return table

    def show_state(self, state: DeskState) -> None:
        self._running.show_jobs(state.running)
        self._idle.setVisible(not state.running)
        if state.number != self._number:
            self._number = state.number
            self._load()

    def appeared(self) -> None:
        self._table.setFocus()

    def show_run(self, run_id: str) -> None:
        """Go to that run; empty: to the newest."""
        self._wanted_run = run_id
        self._which.setCurrentIndex(0)
        self._load()

    def _query(self, before: datetime | None = None) -> RunQuery:
        kinds = self._which.currentData() or ()
        return RunQuery(kinds=tuple(JobKind(kind) for kind in kinds), before=before)

    def _load(self) -> None:
        query = self._query()
        self.ground.desk.ask(lambda desk: desk.runs(query), self._show_page)

    def _load_older(self, before: datetime) -> None:
        query = self._query(before)
        self.ground.desk.ask(lambda desk: desk.runs(query), self._model.add_page)

    def _show_page(self, page: RunPage) -> None:
        index = self._table.currentIndex()
        kept = self._model.run_at(index.row()).id if index.isValid() else ""
        self._model.show_page(page)
        has_runs = self._model.rowCount() > 0
        self._table.setVisible(has_runs)
        self._empty.setVisible(not has_runs)
        row = self._model.row_of(self._wanted_run or kept)
        if row < 0 and has_runs:
            row = 0
        self._wanted_run = ""
        if row >= 0:
            self._table.setCurrentIndex(self._model.index(row, 0))
        else:
            self._details.show_run(None)

    def _show_current(self, current: QModelIndex) -> None:
        self._details.show_run(self._model.run_at(current.row()) if current.isValid() else None)

    def set_narrow(self, *, narrow: bool) -> None:
        super().set_narrow(narrow=narrow)
        header = self._table.header()
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._table.setColumnHidden(_STARTED + 1, narrow)
