"""A person who needs a while, and one who needs a word."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame

from rescue_media.flow import pages as p
from rescue_media.flow.pages import Flow
from rescue_media.flow.values import Purpose
from rescue_media.ui.views.help import help_with
from tests.rescue.walker import Screen


def test_the_running_page_says_that_it_is_paused_and_goes_on_by_keys(screen: Screen) -> None:
    walker = screen.open()
    walker.session.flow = Flow(p.Running("Restoring", Purpose.RESTORE), busy="Restoring")
    walker.session.changed.emit(walker.session.flow)
    walker.tab_to("Pause")
    walker.key(Qt.Key.Key_Space)
    assert walker.session.flow.paused
    assert "Paused. What is done so far stays." in walker.words()
    walker.tab_to("Resume")
    walker.key(Qt.Key.Key_Space)
    assert not walker.session.flow.paused
    assert "Going on" in walker.words()


def test_f1_explains_the_page_that_is_shown_and_closes_again(screen: Screen) -> None:
    walker = screen.open()
    for button in ("Manage the device locally", "Restore"):
        assert help_with(walker.page) not in walker.words()
        walker.key(Qt.Key.Key_F1)
        assert help_with(walker.page) in walker.words()
        assert help_with(walker.page) in walker.find(QFrame, "page help").accessibleName()
        walker.key(Qt.Key.Key_F1)
        assert help_with(walker.page) not in walker.words()
        walker.press(button)


def test_escape_closes_the_help_before_it_leaves_the_page(screen: Screen) -> None:
    walker = screen.open()
    walker.press("Manage the device locally")
    walker.press("help")
    walker.key(Qt.Key.Key_Escape)
    assert isinstance(walker.page, p.Manage)
    walker.key(Qt.Key.Key_Escape)
    assert isinstance(walker.page, p.Start)
