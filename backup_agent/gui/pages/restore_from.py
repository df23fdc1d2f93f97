"""Whose restore points are looked at: a plan's, or those at any other place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from backup_agent.agent.desk import DeskState, Reach, Secrets
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import card
from backup_agent.gui.wizards.storage_form import StorageForm
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr

_ELSEWHERE = ""


class RestoreFrom(QWidget):
    """``chosen`` is told how to reach what was chosen, ``failed`` why it cannot be."""

    def __init__(
        self,
        ground: Ground,
        chosen: Callable[[Reach], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        super().__init__()
        self._ground, self._chosen, self._failed = ground, chosen, failed
        self._known: tuple[tuple[str, str], ...] | None = None
        self._opened = False
        self.combo = QComboBox()
        self.combo.setObjectName("restore from")
        self.combo.setAccessibleName(tr("Restore from"))
        self.combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.combo.setMinimumContentsLength(18)
        self.combo.activated.connect(self._choose)
        self._form = StorageForm(has_vault=False)
        self._password = QLineEdit()
        self._password.setObjectName("password elsewhere")
        self._password.setAccessibleName(tr("Password of the backup"))
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._password.returnPressed.connect(self._open_elsewhere)
        self._elsewhere, inside = card(tr("Where the backup lies"))
        inside.addWidget(self._form)
        inside.addWidget(label(tr("Password of the backup"), "strong"))
        line = QHBoxLayout()
        line.addWidget(self._password, stretch=1)
        line.addWidget(
            button(tr("&Open"), self._open_elsewhere, kind="main", name="open elsewhere")
        )
        inside.addLayout(line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._elsewhere)
        self._elsewhere.hide()
        self.hide()

    def show_state(self, state: DeskState) -> None:
        known = tuple((view.plan.id, view.plan.name) for view in state.plans)
        if known == self._known:
            return
        chosen = self.combo.currentData()
        self._known = known
        self.combo.clear()
        for plan_id, name in known:
            self.combo.addItem(name, plan_id)
        self.combo.addItem(tr("Another place…"), _ELSEWHERE)
        # Another place is looked at only by who has asked for it.
        is_asked = self._opened and (chosen != _ELSEWHERE or self.isVisible())
        self.combo.setCurrentIndex(max(0, self.combo.findData(chosen)) if is_asked else 0)
        self._opened = self._opened and self.combo.currentData() == chosen

    def open_if_needed(self) -> None:
        """The first time that somebody looks."""
        if not self._opened and self._known is not None:
            self._choose()

    def open_anew(self) -> None:
        """What was opened may have more by now."""
        if self.combo.currentData() != _ELSEWHERE:
            self._choose()

    def open_plan(self, plan_id: str) -> None:
        index = self.combo.findData(plan_id) if plan_id else 0
        if index >= 0:
            self.combo.setCurrentIndex(index)
        self._choose()

    def _choose(self) -> None:
        self._opened = True
        plan_id = self.combo.currentData()
        elsewhere = plan_id == _ELSEWHERE
        self.setVisible(elsewhere)
        self._elsewhere.setVisible(elsewhere)
        if elsewhere:
            self._form.focus_likely()
        elif plan_id:
            self._ground.desk.ask(lambda desk: desk.reach(plan_id), self._chosen, self._failed)

    def _open_elsewhere(self) -> None:
        if self._form.address:
            secrets = Secrets(password=self._password.text(), variables=self._form.variables)
            self._chosen(Reach(address=self._form.address, secrets=secrets))

    def put_away(self) -> None:
        """It was opened; the fields are in nobody's way any more."""
        self._elsewhere.hide()
        self.hide()
