"""The sign beside the clock: how things stand, and the few wishes that need no window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from backup_agent.agent.desk import Desk, DeskState, Verdict
from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.pages.overview import tomorrow_morning
from backup_agent.gui.sentences import headline
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.state import State, colours_of, icon_of
from backup_agent.qtkit.tokens import Palette


class Tray(QObject):
    """``show_window`` and ``end`` are the two things that the window itself has to do."""

    def __init__(
        self,
        desk: DeskLink,
        palette: Palette,
        now: Callable[[], datetime],
        *,
        show_window: Callable[[], None],
        end: Callable[[], None],
    ) -> None:
        super().__init__()
        self._desk, self._palette, self._now = desk, palette, now
        self._show_window = show_window
        self._verdict: Verdict | None = None
        self._menu = QMenu()
        self._said = QAction(tr("Everboot"), self._menu)
        self._said.setEnabled(False)
        self._menu.addAction(self._said)
        self._menu.addSeparator()
        self._run = self._add(tr("&Back up now"), self._run_all)
        self._pause = self._add(tr("&Pause until tomorrow"), self._pause_or_resume)
        self._add(tr("&Open Everboot"), show_window)
        self._menu.addSeparator()
        self._add(tr("&Quit"), end)
        self.sign = QSystemTrayIcon(icon("shield", palette.paused), self)
        self.sign.setContextMenu(self._menu)
        self.sign.activated.connect(self._activated)
        self.sign.messageClicked.connect(show_window)
        desk.changed.connect(self.show_state)

    def _add(self, text: str, do: Callable[[], None]) -> QAction:
        action = QAction(text, self._menu)
        action.triggered.connect(lambda _checked=False: do())
        self._menu.addAction(action)
        return action

    def show_state(self, state: DeskState) -> None:
        said = headline(state, self._now())
        shown = State.RUNNING if state.running else said.state
        self.sign.setIcon(icon(icon_of(shown), colours_of(shown, self._palette)[0]))
        self.sign.setToolTip(f"Everboot: {said.title}\n{said.lead}")
        self._said.setText(said.title)
        self._run.setEnabled(bool(state.plans) and not state.running)
        paused = state.paused_until is not None
        self._pause.setText(tr("Resu&me") if paused else tr("&Pause until tomorrow"))
        self._notify(state, said.title, said.lead)
        self._verdict = state.verdict

    def _notify(self, state: DeskState, title: str, lead: str) -> None:
        """Only what got worse, and that it is well again after a problem."""
        before = self._verdict
        if before is None or before is state.verdict:
            return
        if state.verdict is Verdict.PROBLEM:
            self.sign.showMessage(title, lead, QSystemTrayIcon.MessageIcon.Critical)
        elif state.verdict is Verdict.WARNING and before is not Verdict.PROBLEM:
            self.sign.showMessage(title, lead, QSystemTrayIcon.MessageIcon.Warning)
        elif state.verdict is Verdict.PROTECTED and before is Verdict.PROBLEM:
            self.sign.showMessage(title, lead, QSystemTrayIcon.MessageIcon.Information)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self._show_window()

    def _run_all(self) -> None:
        plans = self._desk.state.plans if self._desk.state is not None else ()
        ids = [view.plan.id for view in plans]

        def begin(desk: Desk) -> None:
            for plan_id in ids:
                desk.run_now(plan_id)

        self._desk.do(begin)

    def _pause_or_resume(self) -> None:
        state = self._desk.state
        is_paused = state is not None and state.paused_until is not None
        until = None if is_paused else tomorrow_morning(self._now())
        self._desk.do(lambda desk: desk.pause_until(until))
