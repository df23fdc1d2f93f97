"""The first start: nothing is protected yet, and three ways on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from backup_agent.gui.ground import Ground
from backup_agent.gui.page import Head
from backup_agent.gui.places import Place
from backup_agent.qtkit.controls import button, label, panel
from backup_agent.qtkit.emblem import StateEmblem
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr
from backup_agent.qtkit.state import State

_WIDEST = 760


class FirstStart(QWidget):
    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground = ground
        self._machine = button(
            tr("Begi&n"),
            ground.ways.new_plan_of_machine,
            kind="main",
            name="protect computer",
            says=tr("Protect this whole computer"),
        )
        folders = button(
            tr("&Choose"),
            lambda: ground.ways.plan(""),
            name="protect folders",
            says=tr("Protect some folders"),
        )
        restore = button(
            tr("&Open"),
            lambda: ground.ways.go(Place.RESTORE),
            name="restore something",
            says=tr("Restore something"),
        )
        link = button(tr("&Link this computer"), ground.ways.link, kind="link", name="link")
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        inside = QVBoxLayout(column)
        inside.setSpacing(16)
        title = tr("Nothing is protected yet")
        emblem = StateEmblem(State.PAUSED, ground.palette, says=title, symbol="shield")
        lead = tr("Two questions, then the first backup runs: what, and where to.")
        inside.addWidget(Head(title, lead, sign=emblem))
        inside.addSpacing(16)
        inside.addWidget(
            self._way(
                "monitor",
                tr("Protect this whole computer"),
                tr("System, programs and all files. You can start it again from a USB key."),
                self._machine,
                role="chosen",
            )
        )
        inside.addWidget(
            self._way(
                "folder",
                tr("Protect some folders"),
                tr("Documents, Desktop and Pictures are proposed."),
                folders,
            )
        )
        inside.addWidget(
            self._way(
                "history",
                tr("Restore something"),
                tr("From a backup made here, on another computer, or by restic."),
                restore,
            )
        )
        line = QHBoxLayout()
        picture = QLabel()
        picture.setPixmap(self._picture("link", 18))
        line.addWidget(picture)
        line.addWidget(label(tr("Your office has a console?")))
        line.addWidget(link)
        line.addStretch(1)
        inside.addLayout(line)
        inside.addStretch(1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 32, 0, 0)
        outer.addStretch(1)
        outer.addWidget(column, stretch=100)
        outer.addStretch(1)

    def focus_likely(self) -> None:
        self._machine.setFocus()

    def _way(
        self, symbol: str, title: str, line: str, go: QPushButton, *, role: str = "panel"
    ) -> QFrame:
        frame, inside = panel(role, margin=20)
        across = QHBoxLayout()
        across.setSpacing(20)
        picture = QLabel()
        picture.setPixmap(self._picture(symbol, 28))
        across.addWidget(picture)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(title, "heading", wraps=True))
        words.addWidget(label(line, "secondary", wraps=True))
        across.addLayout(words, stretch=1)
        across.addWidget(go, alignment=Qt.AlignmentFlag.AlignVCenter)
        inside.addLayout(across)
        return frame

    def _picture(self, symbol: str, pixels: int) -> QPixmap:
        return icon(symbol, self._ground.palette.accent, pixels=32).pixmap(QSize(pixels, pixels))
