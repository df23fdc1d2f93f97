"""What every view returns, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from backup_agent.model.events import Event
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.tokens import Palette
from rescue_media.flow.moves import Move
from rescue_media.flow.pages import Flow


@dataclass(frozen=True, slots=True)
class Ground:
    """What a view draws on. ``send`` is the only thing that it may do."""

    flow: Flow
    palette: Palette
    send: Callable[[Move], None]

    def does(self, move: Move) -> Callable[[], None]:
        return lambda: self.send(move)


@dataclass(slots=True)
class Shown:
    """A page. ``buttons`` stand at the bottom, the way forward last; Enter presses ``main``.

    ``focus`` names the widget that has the first focus; ``hears`` takes news of running work;
    ``follows`` what the flow says of the page without changing it.
    """

    content: QWidget
    sentence: str = ""
    state: str = ""
    buttons: list[QPushButton] = field(default_factory=list)
    main: QPushButton | None = None
    focus: str = ""
    has_back: bool = True
    hears: Callable[[Event], None] | None = None
    follows: Callable[[Flow], None] | None = None


def page(title: str, lead: str = "", *, trail: str = "") -> tuple[QWidget, QVBoxLayout]:
    """A page's content with its head, and the layout to fill."""
    content = QWidget()
    content.setAccessibleName(title)
    inside = QVBoxLayout(content)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(10)
    if trail:
        inside.addWidget(label(trail, "caption"))
    inside.addWidget(label(title, "title"))
    if lead:
        inside.addWidget(label(lead, "lead", wraps=True))
    return content, inside


def main_button(text: str, pressed: Callable[[], object], *, enabled: bool = True) -> QPushButton:
    made = button(text, pressed, kind="main")
    made.setEnabled(enabled)
    return made
