"""Plans: a card for each, and the assistant that makes and changes them."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from backup_agent.agent.desk import DeskState
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import Head, Page, clear, scrolled
from backup_agent.gui.pages.plan_card import PlanCard
from backup_agent.gui.sentences import last_and_next
from backup_agent.gui.wizards.plan_assistant import PlanAssistant
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr, trn


class PlansPage(Page):
    def __init__(self, ground: Ground) -> None:
        super().__init__(ground, name=tr("Plans"), scrolls=False)
        self._number = -1
        self._assistant: PlanAssistant | None = None
        self._head = Head(tr("Plans"))
        self._new = button(tr("&New plan"), lambda: self.assist(""), kind="main", name="new plan")
        self._head.add(self._new)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(16)
        every = QWidget()
        inside = QVBoxLayout(every)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(16)
        inside.addWidget(self._head)
        inside.addLayout(self._cards)
        inside.addStretch(1)
        self._list = scrolled(every)
        self._is_narrow = False
        self._faces = QStackedLayout()
        self._faces.addWidget(self._list)
        self.body.addLayout(self._faces)

    def show_state(self, state: DeskState) -> None:
        if state.number == self._number:
            return
        self._number = state.number
        clear(self._cards)
        count = len(state.plans)
        said = trn("{number} plan.", "{number} plans.", count) if count else ""
        self._head.say(
            tr("Plans"), " ".join(filter(None, (said, last_and_next(state, self.ground.now()))))
        )
        for view in state.plans:
            self._cards.addWidget(PlanCard(view, self.ground, self._remove))
        if not state.plans:
            self._cards.addWidget(
                label(tr("A plan says what is backed up, where to, and when."), "secondary")
            )

    def appeared(self) -> None:
        if self._assistant is not None:
            self._assistant.focus_likely()
        else:
            self._new.setFocus()

    def set_narrow(self, *, narrow: bool) -> None:
        super().set_narrow(narrow=narrow)
        self._is_narrow = narrow
        if self._assistant is not None:
            self._assistant.set_narrow(narrow=narrow)

    def assist(self, plan_id: str, *, of_machine: bool = False) -> None:
        """Make a plan, or change that one."""
        self._end_assistant()
        state = self.ground.desk.state
        views = state.plans if state is not None else ()
        plan = next((view.plan for view in views if view.plan.id == plan_id), None)
        names = tuple(view.plan.name for view in views if view.plan.id != plan_id)
        self._assistant = PlanAssistant(
            self.ground, plan, of_machine=of_machine, taken=names, ended=self._end_assistant
        )
        self._assistant.set_narrow(narrow=self._is_narrow)
        self.setWindowTitle(self._assistant.windowTitle())
        self._assistant.windowTitleChanged.connect(self.setWindowTitle)
        self._faces.addWidget(self._assistant)
        self._faces.setCurrentWidget(self._assistant)
        self._assistant.focus_likely()

    def _end_assistant(self) -> None:
        if self._assistant is not None:
            self._faces.setCurrentWidget(self._list)
            self._faces.removeWidget(self._assistant)
            self._assistant.deleteLater()
            self._assistant = None
            self.setWindowTitle(tr("Plans"))
            self._new.setFocus()

    def _remove(self, plan_id: str) -> None:
        self.ground.desk.do(lambda desk: desk.remove_plan(plan_id))
