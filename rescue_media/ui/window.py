"""The frame around every page: bar above, content, sentence and buttons below."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QTreeWidget,
    QVBoxLayout,
    QWidget,
)

from backup_agent.model.events import Event
from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label, notice
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.tokens import Palette
from rescue_media.flow.moves import GoBack, LookAround
from rescue_media.flow.pages import Flow, Page, Start
from rescue_media.flow.settings_moves import OpenClock, OpenKeyboard, OpenNetwork
from rescue_media.flow.values import Status
from rescue_media.ui.session import Session
from rescue_media.ui.views.beside import network_in_brief
from rescue_media.ui.views.every_page import show
from rescue_media.ui.views.help import KEYS, help_with
from rescue_media.ui.views.shown import Ground, Shown
from rescue_media.ui.views.tables import KEY, find

_WIDEST = 1200
_MARGIN = 32
_HEARTBEAT_MILLISECONDS = 5000
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class RescueWindow(QWidget):
    """Shows what the session's flow stands on. Typed text and focus stay while the page does."""

    def __init__(self, session: Session, palette: Palette) -> None:
        super().__init__()
        self.setWindowTitle("Rescue Media")
        self._session = session
        self._palette = palette
        self._page: Page | None = None
        self._shown: Shown | None = None
        self._status: Status | None = None
        self._network = button("", lambda: session.send(OpenNetwork()), kind="link", name="network")
        self._clock = button("", lambda: session.send(OpenClock()), kind="link", name="clock")
        self._heartbeat = QTimer(self)
        self._heartbeat.setInterval(_HEARTBEAT_MILLISECONDS)
        self._heartbeat.timeout.connect(self.look_around)
        self._problem: QWidget | None = None
        self._help: QWidget | None = None
        QShortcut(QKeySequence(Qt.Key.Key_F1), self).activated.connect(self._toggle_help)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._sentence = label("", "secondary", wraps=True)
        self._sentence.setObjectName("sentence")
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(12)
        self._arrange()
        session.changed.connect(self._changed)
        session.news.connect(self._hear)
        session.ended.connect(self.close)
        self._changed(session.flow)

    # Frame

    def _arrange(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._top_bar())
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        centred = QWidget()
        beside = QHBoxLayout(centred)
        beside.setContentsMargins(_MARGIN, 20, _MARGIN, 16)
        beside.addStretch(1)
        beside.addWidget(self._body, stretch=1000)
        beside.addStretch(1)
        self._body.setMaximumWidth(_WIDEST)
        self._column.setContentsMargins(0, 0, 0, 0)
        scroll.setWidget(centred)
        outer.addWidget(scroll, stretch=1)
        bottom = QFrame()
        bottom.setProperty("role", "bottombar")
        line = QHBoxLayout(bottom)
        line.setContentsMargins(_MARGIN, 10, _MARGIN, 10)
        line.addWidget(self._sentence, stretch=1)
        line.addLayout(self._buttons)
        outer.addWidget(bottom)

    def _top_bar(self) -> QFrame:
        bar = QFrame()
        bar.setProperty("role", "topbar")
        line = QHBoxLayout(bar)
        line.setContentsMargins(20, 8, 20, 8)
        mark = QLabel()
        mark.setPixmap(icon("mark", self._palette.accent).pixmap(QSize(24, 24)))
        line.addWidget(mark)
        line.addWidget(label("Rescue Media", "heading"))
        line.addStretch(1)
        line.addWidget(button("Help (F1)", self._toggle_help, kind="link", name="help"))
        for state in (self._network, self._clock):
            line.addWidget(state)
            state.setVisible(self._session.flow.surroundings.on_medium)
        surroundings = self._session.flow.surroundings
        if surroundings.keyboard:
            line.addWidget(label(f"Keyboard {surroundings.keyboard}", "secondary"))
        if surroundings.on_medium:
            change = button(
                "Change" if surroundings.keyboard else "Keyboard",
                lambda: self._session.send(OpenKeyboard()),
                kind="link",
                name="keyboard",
                says=f"Keyboard {surroundings.keyboard}. Change it",
            )
            line.addWidget(change)
        return bar

    # Network and clock

    def watch(self) -> None:
        """Look at network and clock now, and again and again."""
        self.look_around()
        self._heartbeat.start()

    def look_around(self) -> None:
        """Only where nothing else goes on: nobody shall wait for it."""
        if self._session.is_idle:
            self._session.send(LookAround())

    def _tell_status(self, status: Status) -> None:
        for made, says, text in (
            (self._network, "Network", network_in_brief(status)),
            (self._clock, "Date and time", words.moment(datetime.now().astimezone())),
        ):
            made.setText(text)
            made.setAccessibleName(f"{says}: {text}")

    # Pages

    def _changed(self, flow: Flow) -> None:
        is_news = flow.status != self._status and isinstance(flow.page, Start)
        self._status = flow.status
        if flow.page is not self._page or is_news:
            self._draw(flow)
        self._tell_status(flow.status)
        self._tell_problem(flow)
        self._tell_waiting(flow)
        if self._shown is not None and self._shown.follows is not None:
            self._shown.follows(flow)

    def _draw(self, flow: Flow) -> None:
        is_same_kind = type(flow.page) is type(self._page)
        focus_name = self._focus_name() if is_same_kind else ""
        lines = self._current_lines() if is_same_kind else {}
        self._clear()
        shown = show(flow.page, Ground(flow, self._palette, self._session.send))
        self._page, self._shown = flow.page, shown
        self._column.addWidget(shown.content, stretch=1)
        # At once: what is not seen yet cannot have the focus.
        shown.content.show()
        if shown.has_back and flow.trail:
            self._add_button(button("B&ack", lambda: self._session.send(GoBack()), name="Back"))
        for made in shown.buttons:
            self._add_button(made)
        self._restore_lines(lines)
        for name in (focus_name, shown.focus):
            found = self.findChild(QWidget, name) if name else None
            if found is not None and found.isEnabled():
                found.setFocus(Qt.FocusReason.OtherFocusReason)
                break

    def _add_button(self, made: QPushButton) -> None:
        self._buttons.addWidget(made)
        made.show()

    def _clear(self) -> None:
        self._problem = self._help = None
        for layout in (self._column, self._buttons):
            while layout.count():
                item = layout.takeAt(0)
                widget = item.widget() if item is not None else None
                if widget is not None:
                    # Found by nobody any more, and gone once its own signal is through.
                    widget.hide()
                    widget.setParent(None)
                    widget.deleteLater()

    def _focus_name(self) -> str:
        # Qt's stubs do not tell that there may be none.
        focus = cast("QWidget | None", self.focusWidget())
        return "" if focus is None else focus.objectName()

    def _current_lines(self) -> dict[str, str]:
        trees = self._body.findChildren(QTreeWidget)
        current = ((tree.objectName(), tree.currentItem()) for tree in trees)
        return {name: str(item.data(0, KEY)) for name, item in current if item is not None}

    def _restore_lines(self, lines: dict[str, str]) -> None:
        for name, key in lines.items():
            tree = self._body.findChild(QTreeWidget, name)
            item = find(tree, key) if tree is not None else None
            if tree is not None and item is not None:
                tree.setCurrentItem(item)
                tree.scrollToItem(item, QAbstractItemView.ScrollHint.EnsureVisible)

    def _tell_problem(self, flow: Flow) -> None:
        if self._problem is not None:
            self._problem.hide()
            self._problem.setParent(None)
            self._problem.deleteLater()
            self._problem = None
        if flow.problem is not None:
            self._problem = notice(flow.problem.message, flow.problem.hint)
            self._problem.setObjectName("problem")
            self._column.insertWidget(0, self._problem)

    def _tell_waiting(self, flow: Flow) -> None:
        shown = self._shown
        assert shown is not None
        waits = bool(flow.busy) and shown.hears is None
        self._sentence.setText(f"{flow.busy}…" if waits and not shown.sentence else shown.sentence)
        self._sentence.setProperty("state", shown.state)
        self._sentence.style().polish(self._sentence)
        if waits and self.focusWidget() is None:
            back = self.findChild(QPushButton, "Back")
            if back is not None:
                back.setFocus()

    def _toggle_help(self) -> None:
        if self._help is not None:
            self._help.hide()
            self._help.setParent(None)
            self._help.deleteLater()
            self._help = None
        elif self._page is not None:
            self._help = notice(help_with(self._page), KEYS, role="note")
            self._help.setObjectName("page help")
            self._column.insertWidget(0, self._help)

    def _hear(self, event: Event) -> None:
        if self._shown is not None and self._shown.hears is not None:
            self._shown.hears(event)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        shown = self._shown
        if event.key() == Qt.Key.Key_Escape and self._help is not None:
            self._toggle_help()
        elif event.key() == Qt.Key.Key_Escape and shown is not None and shown.has_back:
            self._session.send(GoBack())
        elif event.key() in _ENTER and shown is not None and shown.main is not None:
            shown.main.click()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        self._heartbeat.stop()
        self._session.close()
        super().closeEvent(event)
