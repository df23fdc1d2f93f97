"""Keys alone, ears alone, large and small screens, long names: nobody is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea, QWidget

from backup_agent.gui.places import Place
from backup_agent.qtkit.painted import Painted
from tests.gui.every_page import FIRST_START, faces
from tests.gui.person import ENGLISH, Person, Screen
from tests.gui.played_desk import NOW, PlayedDesk, month_of_runs, problem, protected, running

FRENCH = QLocale("fr_FR")
_SPOKEN = {
    QAccessible.Role.Button,
    QAccessible.Role.ButtonMenu,
    QAccessible.Role.CheckBox,
    QAccessible.Role.RadioButton,
    QAccessible.Role.ComboBox,
    QAccessible.Role.EditableText,
    QAccessible.Role.SpinBox,
    QAccessible.Role.List,
    QAccessible.Role.Tree,
    QAccessible.Role.ProgressBar,
}


def below(interface: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """The tree as a screen reader walks it; what is inside lists is theirs."""
    for number in range(interface.childCount()):
        child = interface.child(number)
        if not child.isValid() or child.state().invisible:
            continue
        yield child
        if child.role() not in (
            QAccessible.Role.List,
            QAccessible.Role.Tree,
            QAccessible.Role.SpinBox,
            QAccessible.Role.ComboBox,
        ):
            yield from below(child)


def nameless(window: QWidget) -> list[str]:
    root = QAccessible.queryAccessibleInterface(window)
    assert root is not None
    return [
        f"{child.role().name} {child.object().objectName()}"
        for child in below(root)
        if child.role() in _SPOKEN and not child.text(QAccessible.Text.Name).strip()
    ]


@pytest.mark.parametrize("locale", [ENGLISH, FRENCH], ids=["english", "french"])
def test_every_control_of_every_page_has_a_name_for_those_who_hear(
    screen: Screen, locale: QLocale
) -> None:
    desk = PlayedDesk(running(), history=month_of_runs())
    person = screen.open(desk, locale=locale, now=lambda: NOW)
    for name, go in faces(person):
        go()
        QApplication.processEvents()
        assert nameless(person.window) == [], name


def test_every_picture_says_in_words_what_it_shows(screen: Screen) -> None:
    person = screen.open(PlayedDesk(protected(), history=month_of_runs()), now=lambda: NOW)
    person.until(lambda: "26 days" in everything_said(person))
    said = everything_said(person)
    assert "History: Backups on 26 days, most on 21 Oct: 9.4 GB" in said
    assert "Protected" in said


def everything_said(person: Person) -> str:
    painted = person.window.findChildren(Painted)
    return "\n".join(p.accessibleName() for p in painted if p.isVisible())


def too_wide(person: Person) -> list[int]:
    """Pixels that stand out of what is scrolled up and down only."""
    areas = [area for area in person.window.findChildren(QScrollArea) if area.isVisible()]
    inside = [(area.widget(), area.viewport().width()) for area in areas]
    wide = [widget.width() - room for widget, room in inside if widget is not None]
    return [pixels for pixels in wide if pixels > 0]


@pytest.mark.parametrize("locale", [ENGLISH, FRENCH], ids=["english", "french"])
@pytest.mark.parametrize("size", [(900, 600), (1280, 800)], ids=["small", "usual"])
def test_no_button_of_any_page_is_cut_off_at_the_side(
    screen: Screen, locale: QLocale, size: tuple[int, int]
) -> None:
    desk = PlayedDesk(problem(), history=month_of_runs())
    person = screen.open(desk, locale=locale, size=size, now=lambda: NOW)
    for name, go in faces(person):
        go()
        QApplication.processEvents()
        for button in person.window.findChildren(QPushButton):
            if button.isVisible():
                left = button.mapTo(person.window, button.rect().topLeft()).x()
                assert left >= 0, (name, button.objectName())
                assert left + button.width() <= person.window.width(), (name, button.objectName())
                assert button.width() >= button.minimumSizeHint().width(), (name, button.text())
        assert too_wide(person) == [], name


def test_names_that_are_long_or_run_from_right_to_left_break_no_page(screen: Screen) -> None:
    state = protected()
    long_name = "Photographs of every building site since 1987, with negatives " * 4
    names = (long_name, "גיבוי המשרד הראשי")
    plans = tuple(
        replace(view, plan=replace(view.plan, name=name))
        for view, name in zip(state.plans, names, strict=True)
    )
    person = screen.open(
        PlayedDesk(replace(state, plans=plans), history=month_of_runs()),
        size=(900, 600),
        now=lambda: NOW,
    )
    for place in (Place.OVERVIEW, Place.PLANS, Place.ACTIVITY):
        person.go(place)
        assert too_wide(person) == [], place
    person.go(Place.PLANS)
    assert names[1] in person.words()


def test_the_first_start_leads_to_a_plan_by_keys_alone(screen: Screen) -> None:
    desk = PlayedDesk(FIRST_START)
    person = screen.open(desk)
    person.go(Place.OVERVIEW)
    person.tab_to("protect folders")
    person.key(Qt.Key.Key_Space)
    person.until(lambda: person.sees("files and folders"))
    person.tab_to("next")
    person.key(Qt.Key.Key_Return)
    person.tab_to("storage address")
    person.type("/backups")
    person.tab_to("password")
    person.type("correct horse battery staple")
    person.tab_to("password again")
    person.type("correct horse battery staple")
    person.key(Qt.Key.Key_Return)
    person.until(lambda: person.sees("how often"))
    person.key(Qt.Key.Key_Return)
    person.until(lambda: person.sees("balanced"))
    person.key(Qt.Key.Key_Return)
    person.until(lambda: any(what == "run_now" for what, _ in desk.asked))
    assert [what for what, _ in desk.asked] == [
        "look_at",
        "create_repository",
        "save_plan",
        "run_now",
    ]


def test_escape_goes_back_through_the_assistant_and_out_of_it(screen: Screen) -> None:
    person = screen.open(PlayedDesk(protected()))
    person.window.plan("")
    person.press("next")
    assert person.sees("kind of storage")
    person.key(Qt.Key.Key_Escape)
    assert person.sees("files and folders")
    person.key(Qt.Key.Key_Escape)
    assert person.sees("new plan")


@pytest.mark.parametrize("number", range(1, len(Place) + 1))
def test_each_page_has_a_shortcut(screen: Screen, number: int) -> None:
    person = screen.open(PlayedDesk(protected()))
    target = QApplication.focusWidget() or person.window
    QTest.keyClick(target, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
    titles = ("Protected", "Plans", "Restore", "Activity", "Rescue media", "Settings")
    assert titles[number - 1] in person.words()


def test_no_letter_of_a_page_leads_to_two_things(screen: Screen) -> None:
    for locale in (ENGLISH, FRENCH):
        desk = PlayedDesk(protected(), history=month_of_runs())
        person = screen.open(desk, locale=locale, now=lambda: NOW)
        for name, go in faces(person):
            go()
            QApplication.processEvents()
            assert person.shared_mnemonics() == [], name
