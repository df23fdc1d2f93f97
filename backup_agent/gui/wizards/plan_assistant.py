"""The assistant for a plan: four questions, and what was answered beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from backup_agent.agent.desk import Desk
from backup_agent.agent.plan import Plan
from backup_agent.gui.ground import Ground, words_of
from backup_agent.gui.page import card, fact, note, scrolled
from backup_agent.gui.places import Place
from backup_agent.gui.sentences import location_words, retention_words, schedule_words, what_words
from backup_agent.gui.wizards.draft import Draft, named, new_draft
from backup_agent.gui.wizards.keep_step import KeepStep
from backup_agent.gui.wizards.step import Step
from backup_agent.gui.wizards.what_step import WhatStep
from backup_agent.gui.wizards.when_step import WhenStep
from backup_agent.gui.wizards.where_step import WhereStep
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.state import State
from backup_agent.qtkit.step_list import StepList


class PlanAssistant(QWidget):
    """``taken``: names of other plans. ``ended`` is called once it is done or given up."""

    def __init__(
        self,
        ground: Ground,
        plan: Plan | None,
        *,
        of_machine: bool,
        taken: Sequence[str],
        ended: Callable[[], None],
    ) -> None:
        super().__init__()
        self._ground, self._taken, self._ended = ground, taken, ended
        if plan is None:
            self._draft = new_draft(of_machine=of_machine, home=Path.home(), now=ground.now())
        else:
            self._draft = Draft(plan, is_new=False)
        self._steps: tuple[Step, ...] = (
            WhatStep(ground),
            WhereStep(ground),
            WhenStep(ground),
            KeepStep(ground),
        )
        self._at = 0
        self._is_narrow = False
        self._problem: QFrame | None = None
        self._build()
        for step in self._steps:
            step.show_draft(self._draft)
            step.changed.connect(self._summarise)
        self._show_step(0)

    # Frame

    def _build(self) -> None:
        where = tr("New plan") if self._draft.is_new else tr("Change plan")
        trail = label(f"{tr('Plans')} / {where}", "caption")
        self._question = label("", "title", wraps=True)
        self._list = StepList(tuple(step.name for step in self._steps), self._ground.palette)
        self._pages = QStackedWidget()
        for step in self._steps:
            self._pages.addWidget(step)
        middle = QWidget()
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, middle)
        self._columns.setContentsMargins(0, 0, 8, 0)
        self._columns.setSpacing(24)
        self._columns.addWidget(self._pages, stretch=5)
        self._columns.addWidget(self._summary(), stretch=2, alignment=Qt.AlignmentFlag.AlignTop)
        self._inside = QVBoxLayout(self)
        self._inside.setContentsMargins(0, 0, 0, 0)
        self._inside.setSpacing(12)
        for widget in (trail, self._question, self._list):
            self._inside.addWidget(widget)
        self._inside.addWidget(scrolled(middle), stretch=1)
        self._inside.addLayout(self._buttons())

    def _summary(self) -> QFrame:
        frame, inside = card(tr("Your plan"))
        self._facts_card = frame
        inside.addWidget(label(tr("Name"), "caption"))
        self._name = QLineEdit(self._draft.plan.name)
        self._name.setObjectName("plan name")
        self._name.setAccessibleName(tr("Name of the plan"))
        inside.addWidget(self._name)
        self._facts: dict[str, QLabel] = {}
        for key, caption in (
            ("what", tr("What")),
            ("where", tr("Where")),
            ("when", tr("When")),
            ("kept", tr("Kept")),
        ):
            column, value = fact(caption)
            inside.addLayout(column)
            self._facts[key] = value
        self._name.textEdited.connect(self._summarise)
        return frame

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        cancel = button(tr("Cancel"), self._ended, kind="quiet", name="cancel")
        self._back = button(tr("Bac&k"), self._go_back, name="back")
        self._next = button(tr("&Next"), self._go_on, kind="main", name="next")
        line.addWidget(cancel)
        line.addStretch(1)
        line.addWidget(self._back)
        line.addWidget(self._next)
        return line

    def set_narrow(self, *, narrow: bool) -> None:
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(way)
        self._is_narrow = narrow
        self._fold()

    def _fold(self) -> None:
        """Below the questions the summary is read by nobody until the last of them."""
        is_last = self._at == len(self._steps) - 1
        self._facts_card.setVisible(is_last or not self._is_narrow)

    def focus_likely(self) -> None:
        self._steps[self._at].focus_likely()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        match event.key():
            case Qt.Key.Key_Escape:
                if self._at:
                    self._go_back()
                else:
                    self._ended()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._go_on()
            case _:
                super().keyPressEvent(event)

    # Steps

    def _show_step(self, at: int) -> None:
        self._at = at
        step = self._steps[at]
        self._question.setText(step.question)
        self.setWindowTitle(step.question)
        self._list.show_step(at)
        self._pages.setCurrentWidget(step)
        self._fold()
        self._back.setEnabled(at > 0)
        is_last = at == len(self._steps) - 1
        last = tr("Create and &back up now") if self._draft.is_new else tr("&Save")
        self._next.setText(last if is_last else tr("&Next"))
        self._next.setAccessibleName(self._next.text().replace("&", ""))
        self._next.setEnabled(True)
        self._summarise()
        step.focus_likely()

    def _go_back(self) -> None:
        self._forget_problem()
        self._draft = self._steps[self._at].filled(self._draft)
        self._show_step(self._at - 1)

    def _go_on(self) -> None:
        if not self._next.isEnabled():
            return
        self._forget_problem()
        step = self._steps[self._at]
        self._draft = step.filled(self._draft)
        self._next.setEnabled(False)
        step.check(self._draft, self._proceed, self._refuse)

    def _proceed(self, draft: Draft) -> None:
        self._draft = draft
        if self._at < len(self._steps) - 1:
            following = self._steps[self._at + 1]
            if isinstance(following, KeepStep):
                # What will be kept depends on how often it runs.
                following.show_draft(draft)
            self._show_step(self._at + 1)
        else:
            self._save()

    def _refuse(self, what: str, hint: str) -> None:
        self._forget_problem()
        self._next.setEnabled(True)
        self._problem = note(State.PROBLEM, what, hint, self._ground.palette)
        self._problem.setObjectName("refused")
        self._inside.insertWidget(3, self._problem)
        self._steps[self._at].focus_likely()

    def _forget_problem(self) -> None:
        if self._problem is not None:
            self._problem.hide()
            self._problem.setParent(None)
            self._problem.deleteLater()
            self._problem = None

    def _summarise(self) -> None:
        draft = named(self._steps[self._at].filled(self._draft), self._taken)
        plan = draft.plan
        self._name.setPlaceholderText(plan.name)
        self._facts["what"].setText(what_words(plan))
        is_said = self._at > 0 or not draft.is_new
        self._facts["where"].setText(
            location_words(plan.location) if is_said and plan.location.address else "-"
        )
        self._facts["when"].setText(schedule_words(plan.schedule))
        self._facts["kept"].setText(retention_words(plan.retention))

    # End

    def _save(self) -> None:
        plan = replace(self._draft.plan, name=self._name.text().strip())
        draft = named(replace(self._draft, plan=plan), self._taken)
        self._ground.desk.do(
            partial(_save, draft),
            partial(self._saved, draft),
            lambda error: self._refuse(*words_of(error)),
        )

    def _saved(self, draft: Draft) -> None:
        self._ended()
        if draft.is_new:
            self._ground.ways.go(Place.ACTIVITY)


def _save(draft: Draft, desk: Desk) -> None:
    """The repository first: a plan without one would fail until somebody makes it."""
    if draft.makes_repository and draft.secrets is not None:
        desk.create_repository(draft.plan.location, draft.secrets)
    desk.save_plan(draft.plan, draft.secrets)
    if draft.is_new:
        desk.run_now(draft.plan.id)
