"""Telling the medium what the window shows.

Who started the window names a file in the environment. It is made once the
window was drawn for the first time, and holds from then on where a person
stands (JSON: ``page``, whether it is ``ready`` to go on from, ``busy``,
``problem``, ``work``, and how many characters were ``typed`` so far).
``everboot iso test`` waits for it, the medium tries
another way of showing the window when it never comes, and whoever steers the
window from outside reads there what became of a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from backup_agent.model.events import Event, Progress, TryingAgain
from rescue_media.flow import pages as p
from rescue_media.flow.pages import Flow, Page
from rescue_media.ui.session import Session

VARIABLE = "EVERBOOT_WINDOW_SHOWN"


class _ShownFile(QObject):
    """Owned by the window."""

    def __init__(self, window: QWidget, session: Session, file: Path) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._file = file
        self._work = ""
        self._typed = 0
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is self._window and event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # The event comes before the drawing; what is queued now comes after it.
            QTimer.singleShot(0, self._begin)
        elif isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            self._count(event)
        return False

    def _begin(self) -> None:
        self._write(self._session.flow)
        self._session.changed.connect(self._write)
        self._session.news.connect(self._hear)
        # Every key comes here first, whichever widget it is for, and comes here once.
        self._window.windowHandle().installEventFilter(self)

    def _count(self, event: QKeyEvent) -> None:
        """How many, never which: a password is typed here, too."""
        is_command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.text() and event.text().isprintable() and not is_command:
            self._typed += 1
            QTimer.singleShot(0, self, lambda: self._write(self._session.flow))

    def _hear(self, event: Event) -> None:
        match event:
            case Progress():
                self._work = f"{event.phase} {event.bytes_done} of {event.bytes_total}"
            case TryingAgain(message):
                self._work = message
            case _:
                return
        self._write(self._session.flow)

    def _write(self, flow: Flow) -> None:
        problem = flow.problem
        shown = {
            "page": type(flow.page).__name__,
            "ready": not flow.busy and _can_go_on(flow.page),
            "busy": flow.busy,
            "problem": f"{problem.message} {problem.hint}".rstrip() if problem else "",
            "work": self._work if isinstance(flow.page, p.Running) else "",
            "typed": self._typed,
        }
        # Whoever reads it meanwhile finds the whole of it, as it was or as it is.
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps(shown))
        unfinished.replace(self._file)


def _can_go_on(page: Page) -> bool:
    match page:
        case p.Select(checked=checked):
            return bool(checked)
        case p.Mapping():
            return page.is_ready
        case _:
            return True


def tell_what_is_shown(window: QWidget, session: Session, environment: Mapping[str, str]) -> None:
    """Keep the file that the environment names, if it does, from the first drawing on."""
    if name := environment.get(VARIABLE):
        _ShownFile(window, session, Path(name))
