"""One step of an assistant: a page with a question, that adds its answer to the draft."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from backup_agent.gui.ground import Ground
from backup_agent.gui.wizards.draft import Draft

Proceed = Callable[[Draft], None]
Refuse = Callable[[str, str], None]


class Step(QWidget):
    """``name`` stands in the list of steps, ``question`` above the page."""

    changed = Signal()
    """What was answered; the summary beside is to follow."""

    def __init__(self, ground: Ground, name: str, question: str) -> None:
        super().__init__()
        self.ground, self.name, self.question = ground, name, question
        self.inside = QVBoxLayout(self)
        self.inside.setContentsMargins(0, 0, 0, 0)
        self.inside.setSpacing(16)
        self.setAccessibleName(question)

    def show_draft(self, draft: Draft) -> None:
        """Put what is known into the fields."""

    def filled(self, draft: Draft) -> Draft:
        """The draft with this step's answer, as far as there is one."""
        return draft

    def check(self, draft: Draft, proceed: Proceed, refuse: Refuse) -> None:
        """Call ``proceed`` with the draft, or ``refuse`` with what is wrong and what to try.

        A step may ask somebody first, and call later.
        """
        del refuse
        proceed(draft)

    def focus_likely(self) -> None:
        """Where the likely answer is given."""
