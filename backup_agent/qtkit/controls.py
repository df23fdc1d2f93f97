"""Small pieces that every page is made of: labels by role, buttons by kind, panels."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.tokens import Palette


def label(text: str, role: str = "body", *, state: str = "", wraps: bool = False) -> QLabel:
    """Text is never taken for markup: much of it comes from disks and from strangers."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    if state:
        made.setProperty("state", state)
    made.setWordWrap(wraps)
    return made


def button(
    text: str,
    pressed: Callable[[], object],
    *,
    kind: str = "",
    name: str = "",
    says: str = "",
) -> QPushButton:
    """``text`` may hold a mnemonic (``&``). ``name`` finds it in tests, ``says`` is what a screen
    reader tells beyond the text.
    """
    made = QPushButton(text)
    if kind:
        made.setProperty("kind", kind)
    plain = text.replace("&", "")
    made.setObjectName(name or plain)
    made.setAccessibleName(says or plain)
    made.setAutoDefault(True)
    made.clicked.connect(lambda _checked=False: pressed())
    return made


def choice(
    title: str,
    line: str,
    symbol: str,
    palette: Palette,
    pressed: Callable[[], object],
    *,
    name: str = "",
) -> QPushButton:
    """A large button with a second line that says what it leads to."""
    made = button("", pressed, kind="choice", name=name or title, says=f"{title}. {line}")
    made.setMinimumHeight(72)
    inside = QHBoxLayout(made)
    inside.setContentsMargins(18, 10, 18, 10)
    inside.setSpacing(16)
    picture = QLabel()
    picture.setPixmap(icon(symbol, palette.accent).pixmap(QSize(24, 24)))
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(label(title, "heading"))
    words.addWidget(label(line, "secondary"))
    arrow = QLabel()
    arrow.setPixmap(icon("chevron-right", palette.ink).pixmap(QSize(24, 24)))
    for child in (picture, arrow):
        inside.addWidget(child)
    inside.insertLayout(1, words, stretch=1)
    for child in made.findChildren(QLabel):
        child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return made


def panel(role: str = "panel", *, margin: int = 20) -> tuple[QFrame, QVBoxLayout]:
    """A bordered surface and the layout to fill."""
    frame = QFrame()
    frame.setProperty("role", role)
    inside = QVBoxLayout(frame)
    inside.setContentsMargins(margin, margin, margin, margin)
    inside.setSpacing(8)
    return frame, inside


def notice(message: str, hint: str, *, role: str = "problem") -> QFrame:
    """What happened and what to try, in the page itself."""
    frame, inside = panel(role, margin=12)
    inside.addWidget(label(message, "strong", wraps=True))
    if hint:
        inside.addWidget(label(hint, wraps=True))
    frame.setAccessibleName(f"{message} {hint}".strip())
    return frame


def row(*widgets: QWidget, spacing: int = 12) -> QHBoxLayout:
    """Side by side; what is left of the width stays free on the right."""
    made = QHBoxLayout()
    made.setSpacing(spacing)
    for widget in widgets:
        made.addWidget(widget)
    made.addStretch(1)
    return made
