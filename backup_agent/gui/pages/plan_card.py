"""One plan on a card: what, where, when, how long, and how it stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout

from backup_agent.agent.desk import Desk, PlanView
from backup_agent.gui.ground import Ground
from backup_agent.gui.page import StateLabel, card, fact, note, rule
from backup_agent.gui.pages.overview import tomorrow_morning
from backup_agent.gui.places import Place
from backup_agent.gui.sentences import (
    location_words,
    plan_state,
    ran_words,
    retention_words,
    schedule_words,
    what_words,
)
from backup_agent.qtkit import dates, words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.state import State


class PlanCard(QFrame):
    """``removed`` is called when somebody has said twice that the plan is to go."""

    def __init__(self, view: PlanView, ground: Ground, removed: Callable[[str], None]) -> None:
        super().__init__()
        self._view, self._ground, self._removed = view, ground, removed
        frame, self._inside = card()
        frame.setAccessibleName(view.plan.name)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._inside.addLayout(self._top())
        self._inside.addLayout(self._facts())
        self._inside.addWidget(rule())
        self._inside.addWidget(label(self._last_words(), "caption", wraps=True))
        self._question: QFrame | None = None

    def _top(self) -> QHBoxLayout:
        view, palette = self._view, self._ground.palette
        top = QHBoxLayout()
        top.setSpacing(12)
        picture = QLabel()
        symbol = "monitor" if view.plan.is_of_disks else "folder"
        picture.setPixmap(icon(symbol, palette.ink2).pixmap(QSize(24, 24)))
        top.addWidget(picture)
        name = label(view.plan.name, "heading", wraps=True)
        name.setToolTip(view.plan.name)
        top.addWidget(name, stretch=1)
        sign = StateLabel(palette)
        sign.show_state(*plan_state(view))
        top.addWidget(sign)
        if view.paused_until is not None:
            go = button(tr("Resume"), partial(self._pause, resume=True))
        else:
            go = button(tr("Back up now"), self._run_now)
        go.setObjectName(f"run {view.plan.name}")
        go.setAccessibleName(f"{go.text()}: {view.plan.name}")
        top.addWidget(go)
        top.addWidget(self._more())
        return top

    def _more(self) -> QToolButton:
        plan = self._view.plan
        menu = QMenu(self)
        paused = self._view.paused_until is not None
        pause = tr("Resu&me") if paused else tr("&Pause until tomorrow")
        for text, do in (
            (tr("&Change…"), lambda: self._ground.ways.plan(plan.id)),
            (tr("&Restore from it"), lambda: self._ground.ways.restore(plan.id)),
            (pause, partial(self._pause, resume=paused)),
            (tr("Re&move…"), self._ask_to_remove),
        ):
            action = QAction(text, menu)
            action.triggered.connect(lambda _checked=False, do=do: do())
            menu.addAction(action)
        more = QToolButton()
        more.setObjectName(f"more {plan.name}")
        more.setIcon(icon("more", self._ground.palette.ink2))
        more.setAccessibleName(tr("More for {plan}", plan=plan.name))
        more.setToolTip(tr("More for {plan}", plan=plan.name))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        more.setMenu(menu)
        return more

    def _facts(self) -> QHBoxLayout:
        plan = self._view.plan
        across = QHBoxLayout()
        across.setSpacing(24)
        what = what_words(plan)
        without = (
            tr("without {patterns}", patterns=", ".join(plan.excludes)) if plan.excludes else ""
        )
        for caption, lines in (
            (tr("What"), (what, without)),
            (tr("Where"), (location_words(plan.location),)),
            (tr("When"), (schedule_words(plan.schedule), self._next_words())),
            (tr("Kept"), (retention_words(plan.retention),)),
        ):
            column, value = fact(caption)
            text = "\n".join(filter(None, lines))
            value.setText(text)
            value.setToolTip(text)
            value.setMinimumWidth(90)
            across.addLayout(column, stretch=1)
        return across

    def _next_words(self) -> str:
        following, now = self._view.next_run_at, self._ground.now()
        if following is None:
            return ""
        local = following.astimezone(now.tzinfo)
        return tr("next: now") if local <= now else tr("next {when}", when=dates.at(local, now))

    def _last_words(self) -> str:
        last, now = self._view.last_run, self._ground.now()
        if last is None or last.ran is None:
            return tr("No backup has run yet.")
        when = dates.at(last.ran.ended_at.astimezone(now.tzinfo), now)
        said = tr("Last backup {when}: {what}", when=when, what=ran_words(last.ran))
        if last.ran.snapshot:
            said += " " + tr("{size} added.", size=words.size(last.ran.bytes_added))
        return said

    # Wishes

    def _run_now(self) -> None:
        self._ground.desk.do(partial(_begin, self._view.plan.id))
        self._ground.ways.go(Place.ACTIVITY)

    def _pause(self, *, resume: bool) -> None:
        until = None if resume else tomorrow_morning(self._ground.now())
        plan_id = self._view.plan.id
        self._ground.desk.do(lambda desk: desk.pause_until(until, plan_id=plan_id))

    def _ask_to_remove(self) -> None:
        if self._question is not None:
            return
        stays = button(tr("&Keep the plan"), self._keep, name="keep plan")
        goes = button(
            tr("Re&move the plan"),
            lambda: self._removed(self._view.plan.id),
            name="remove plan",
        )
        self._question = note(
            State.WARNING,
            tr("The plan goes, its restore points stay"),
            tr("Nothing will be backed up by it any more."),
            self._ground.palette,
            goes,
            stays,
        )
        self._inside.addWidget(self._question)
        self._question.show()
        stays.setFocus()

    def _keep(self) -> None:
        if self._question is not None:
            self._question.hide()
            self._question.deleteLater()
            self._question = None


def _begin(plan_id: str, desk: Desk) -> None:
    desk.run_now(plan_id)
