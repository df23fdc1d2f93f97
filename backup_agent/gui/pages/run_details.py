"""What became of one run, and each thing that it left out."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QListView, QVBoxLayout

from backup_agent.agent.desk import Desk
from backup_agent.agent.ran import JobKind, Outcome, RunView
from backup_agent.gui.ground import Ground
from backup_agent.gui.places import Place
from backup_agent.gui.sentences import outcome_state, ran_words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.state import State

_ROLES = {State.WARNING: "warning", State.PROBLEM: "problem"}


class RunDetails(QFrame):
    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground = ground
        self._run: RunView | None = None
        self._said = label("", "strong", wraps=True)
        self._said.setObjectName("what became of it")
        self._copy = button(tr("&Copy list"), self._copy_list, name="copy list")
        self._again = button(tr("Back &up again"), self._run_again, name="run again")
        self._restore = button(tr("&Restore from it"), self._restore_from, name="restore from it")
        self._items = QStringListModel(self)
        self._list = QListView()
        self._list.setObjectName("left out")
        self._list.setAccessibleName(tr("What was left out, and why"))
        self._list.setModel(self._items)
        self._list.setUniformItemSizes(True)
        self._list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.setMaximumHeight(180)
        self._more = label("", "caption")
        top = QHBoxLayout()
        top.addWidget(self._said, stretch=1)
        for made in (self._copy, self._again, self._restore):
            top.addWidget(made)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(16, 10, 12, 10)
        inside.addLayout(top)
        inside.addWidget(self._list)
        inside.addWidget(self._more)
        self.show_run(None)

    def show_run(self, run: RunView | None) -> None:
        self._run = run
        ran = run.ran if run is not None else None
        self.setVisible(ran is not None)
        if run is None or ran is None:
            return
        said = ran_words(ran)
        self._said.setText(said)
        self.setAccessibleName(said)
        state, _ = outcome_state(ran.outcome)
        self.setProperty("role", _ROLES.get(state, "note"))
        self.style().unpolish(self)
        self.style().polish(self)
        lines = [f"{omitted.path}    {omitted.reason}" for omitted in ran.omissions]
        self._items.setStringList(lines)
        self._list.setVisible(bool(lines))
        hidden = ran.omitted - len(lines)
        self._more.setText(trn("and {number} more", "and {number} more", hidden))
        self._more.setVisible(hidden > 0)
        self._copy.setVisible(bool(lines))
        self._again.setVisible(run.kind is JobKind.BACKUP and ran.outcome is not Outcome.DONE)
        self._restore.setVisible(bool(ran.snapshot))

    def _copy_list(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self._items.stringList()))

    def _run_again(self) -> None:
        if self._run is not None:
            self._ground.desk.do(partial(_begin, self._run.plan_id))
            self._ground.ways.go(Place.ACTIVITY)

    def _restore_from(self) -> None:
        if self._run is not None:
            self._ground.ways.restore(self._run.plan_id)


def _begin(plan_id: str, desk: Desk) -> None:
    desk.run_now(plan_id)
