"""Without a mouse: Tab, Enter, Space, arrows and Escape lead to every end."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QTreeWidget,
    QWidget,
)

from rescue_media.flow import pages as p
from tests.rescue.computers import back_up_computer
from tests.rescue.walker import Screen, Walker

_ENTER, _DOWN, _ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Escape


def type_text(text: str) -> None:
    target = QApplication.focusWidget()
    assert isinstance(target, QLineEdit)
    QTest.keyClicks(target, text)


def enter_on(walker: Walker, name: str) -> None:
    walker.tab_to(name)
    walker.key(_ENTER)


def test_a_disk_is_restored_by_keys_alone(screen: Screen, tmp_path: Path) -> None:
    backed_up = back_up_computer(tmp_path, "linux-gpt-ext")
    source, target = backed_up.computer.image, tmp_path / "new.img"
    with open(target, "wb") as file:
        file.truncate(source.stat().st_size)
    walker = screen.open(images=(target,))

    walker.key(_ENTER)  # the likely answer has the focus: "Manage the device locally"
    walker.key(_ENTER)  # "Restore"
    walker.key(_ENTER)  # "Select data…"
    walker.key(_ENTER)  # "Browse"
    enter_on(walker, "Folder or USB disk")
    type_text(str(backed_up.repository))
    walker.key(_ENTER)
    walker.until(p.Password)
    type_text(backed_up.password)
    walker.key(_ENTER)
    walker.until(p.Select)
    walker.tab_to("workstations")
    walker.key(Qt.Key.Key_Home, _DOWN, _ENTER)
    walker.qtbot.waitUntil(lambda: has_contents(walker), timeout=60_000)
    enter_on(walker, "OK")
    walker.until(p.Mapping)
    walker.tab_to("destination of disk0")
    walker.key(_DOWN)
    walker.qtbot.waitUntil(lambda: is_ready(walker), timeout=60_000)
    enter_on(walker, "OK")
    walker.until(p.Confirm)
    focus: QWidget | None = QApplication.focusWidget()
    assert focus is not None
    assert focus.objectName() == "Back", "where data is overwritten, Enter must not go on"
    enter_on(walker, "OK")
    walker.until(p.Done)

    assert sha256(target) == sha256(source)


def test_escape_leads_back_from_every_page_on_the_way(screen: Screen) -> None:
    walker = screen.open()
    walker.key(_ENTER, _ENTER, _ENTER, _ENTER)
    assert isinstance(walker.page, p.Browse)
    kinds = []
    for _ in range(4):
        walker.key(_ESCAPE)
        kinds.append(type(walker.page))
    assert kinds == [p.Select, p.Begin, p.Manage, p.Start]
    walker.key(_ESCAPE)
    assert walker.window.isVisible()


def test_everything_that_takes_keys_has_a_name_for_those_who_hear(screen: Screen) -> None:
    walker = screen.open()
    for name in ("Manage the device locally", "Restore", "Select data…", "Browse", "Cloud Storage"):
        walker.press(name)
        QApplication.processEvents()
        for kind in (QAbstractButton, QLineEdit, QComboBox, QTreeWidget):
            for widget in walker.window.findChildren(kind):
                if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                    assert widget.accessibleName(), (walker.page, widget)


def has_contents(walker: Walker) -> bool:
    return isinstance(walker.page, p.Select) and bool(walker.page.contents)


def is_ready(walker: Walker) -> bool:
    return isinstance(walker.page, p.Mapping) and walker.page.is_ready


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
