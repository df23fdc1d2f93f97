"""What all pages are made of: a head with its buttons, a scrolled body, cards."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from backup_agent.agent.desk import DeskState
from backup_agent.gui.ground import Ground
from backup_agent.qtkit.controls import label, panel
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.state import State, colours_of, icon_of
from backup_agent.qtkit.tokens import Palette

MARGIN = 32
NARROW_MARGIN = 16


class Page(QWidget):
    """``body`` is what a subclass fills. A page that scrolls by itself says ``scrolls=False``.

    Its ``windowTitle`` says where in it one is; the window bears it while the page is shown.
    """

    def __init__(self, ground: Ground, *, name: str, scrolls: bool = True) -> None:
        super().__init__()
        self.ground = ground
        self.setAccessibleName(name)
        self.setWindowTitle(name)
        content = QWidget()
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(MARGIN, 24, MARGIN, 24)
        self.body.setSpacing(16)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        if scrolls:
            outer.addWidget(scrolled(content))
        else:
            outer.addWidget(content)

    def show_state(self, state: DeskState) -> None:
        """How things stand now; called for every change, also while the page is hidden."""

    def appeared(self) -> None:
        """The page is shown now: put the focus where the likely answer is."""

    def set_narrow(self, *, narrow: bool) -> None:
        """The window has become narrow, or wide again."""
        side = NARROW_MARGIN if narrow else MARGIN
        self.body.setContentsMargins(side, 24, side, 24)


def scrolled(content: QWidget) -> QScrollArea:
    """Up and down only: what is too wide has to fold."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(content)
    return scroll


class Head(QWidget):
    """Title, a line below it, and buttons at the right, the main one last."""

    def __init__(self, title: str, lead: str = "", *, sign: QWidget | None = None) -> None:
        super().__init__()
        self.title = label(title, "title", wraps=True)
        self.lead = label(lead, "secondary", wraps=True)
        self.lead.setVisible(bool(lead))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.title)
        words.addWidget(self.lead)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(12)
        if sign is not None:
            self._line.addWidget(sign)
        self._line.addLayout(words, stretch=1)

    def add(self, *buttons: QWidget) -> None:
        for made in buttons:
            self._line.addWidget(made, alignment=Qt.AlignmentFlag.AlignVCenter)

    def say(self, title: str, lead: str) -> None:
        self.title.setText(title)
        self.lead.setText(lead)
        self.lead.setVisible(bool(lead))


class StateLabel(QWidget):
    """Icon and word in the state's colour."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self._picture = QLabel()
        self._word = label("", "strong")
        inside = QHBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(6)
        inside.addWidget(self._picture)
        inside.addWidget(self._word)

    def show_state(self, state: State, word: str) -> None:
        tone, _, _ = colours_of(state, self._palette)
        self._picture.setPixmap(icon(icon_of(state), tone).pixmap(18, 18))
        self._word.setText(word)
        self._word.setStyleSheet(f"color: {tone}; font-weight: 600;")
        self.setAccessibleName(word)


def note(state: State, title: str, detail: str, palette: Palette, *buttons: QPushButton) -> QFrame:
    """One thing that needs somebody, and what mends it."""
    role = {State.WARNING: "warning", State.PROBLEM: "problem"}.get(state, "note")
    frame = QFrame()
    frame.setProperty("role", role)
    frame.setAccessibleName(f"{title} {detail}".strip())
    line = QHBoxLayout(frame)
    line.setContentsMargins(16, 10, 12, 10)
    line.setSpacing(12)
    picture = QLabel()
    tone, _, _ = colours_of(state, palette)
    picture.setPixmap(icon(icon_of(state), tone).pixmap(20, 20))
    line.addWidget(picture)
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(label(title, "strong", wraps=True))
    if detail:
        words.addWidget(label(detail, wraps=True))
    line.addLayout(words, stretch=1)
    for made in buttons:
        line.addWidget(made, alignment=Qt.AlignmentFlag.AlignVCenter)
    return frame


def card(title: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A surface with a heading, and the layout to fill."""
    frame, inside = panel(margin=20)
    if title:
        inside.addWidget(label(title, "heading"))
        frame.setAccessibleName(title)
    return frame, inside


def rule() -> QFrame:
    """A hairline."""
    line = QFrame()
    line.setProperty("role", "rule")
    line.setFixedHeight(1)
    return line


def fact(caption: str) -> tuple[QVBoxLayout, QLabel]:
    """A caption with what it is about below it, and the label to write that into."""
    column = QVBoxLayout()
    column.setSpacing(2)
    column.addWidget(label(caption, "caption"))
    value = label("", wraps=True)
    value.setAccessibleName(caption)
    column.addWidget(value)
    column.addStretch(1)
    return column, value


def clear(layout: QLayout) -> None:
    """Take everything out of it."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        inner = item.layout()
        if widget is not None:
            # Found by nobody any more, and gone once its own signal is through.
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
