"""A person in front of the window, with a mouse or with keys alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QRadioButton,
    QTreeView,
    QWidget,
)
from pytestqt.exceptions import TimeoutError as QtTimeoutError
from pytestqt.qtbot import QtBot

from backup_agent.agent.desk import Desk
from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.places import Place
from backup_agent.gui.window import MainWindow, Outside
from backup_agent.qtkit.language import speak
from backup_agent.qtkit.theme import dress
from backup_agent.qtkit.tokens import FOR_POINTER, LIGHT, Palette
from tests.unit.agent.workplace import Workplace

FILES = "files of the restore point"
ENGLISH = QLocale("en_GB")
_PATIENCE_MS = 60_000
_MOST_TABS = 120
_MARK = 14
_W = TypeVar("_W", bound=QWidget)


@dataclass(frozen=True, slots=True)
class Person:
    """Sees ``window`` and nothing else."""

    qtbot: QtBot
    window: MainWindow

    def go(self, place: Place) -> None:
        self.window.go(place)
        QApplication.processEvents()

    def press(self, name: str) -> None:
        found = self.find(QAbstractButton, name)
        assert found.isEnabled(), f"{name} cannot be pressed"
        place = found.rect().center()
        if isinstance(found, QCheckBox | QRadioButton):
            # Only its mark and its words take clicks, not the room beside them.
            place.setX(_MARK)
        QTest.mouseClick(found, Qt.MouseButton.LeftButton, pos=place)

    def write(self, name: str, text: str) -> None:
        line = self.find(QLineEdit, name)
        line.clear()
        QTest.keyClicks(line, text)

    def choose(self, name: str, value: object) -> None:
        combo = self.find(QComboBox, name)
        index = combo.findData(value)
        assert index >= 0, f"{name} has no {value!r}"
        combo.setCurrentIndex(index)
        combo.activated.emit(index)

    def find(self, kind: type[_W], name: str) -> _W:
        """The visible one, if there are several."""
        found = self.window.findChildren(kind, name)
        seen = [widget for widget in found if widget.isVisible()]
        assert seen, f"no {kind.__name__} {name!r}; there are {self.names(kind)}"
        return seen[0]

    def sees(self, name: str) -> bool:
        return any(widget.isVisible() for widget in self.window.findChildren(QWidget, name))

    def names(self, kind: type[QWidget]) -> list[str]:
        return [w.objectName() for w in self.window.findChildren(kind) if w.isVisible()]

    def words(self) -> str:
        """Everything that can be read now."""
        QApplication.processEvents()
        labels = self.window.findChildren(QLabel)
        return "\n".join(label.text() for label in labels if label.isVisible())

    def open_line(self, table_name: str, text: str) -> None:
        """Enter on that line, and wait until others stand there."""
        table = self.find(QTreeView, table_name)
        before = self.lines(table_name)
        table.activated.emit(table.model().index(before.index(text), 0))
        self.until(lambda: self.lines(table_name) not in (before, []))

    def walk_to(self, folder: Path, *, table_name: str = FILES) -> None:
        """Down to that folder of a restore point, from wherever the page begins."""
        for name in folder.parts[1:]:
            if name in self.lines(table_name):
                self.open_line(table_name, name)

    def lines(self, name: str) -> list[str]:
        """The first column of a table, as far as the view knows it."""
        model = self.find(QTreeView, name).model()
        return [str(model.index(row, 0).data()) for row in range(model.rowCount())]

    def until(self, holds: Callable[[], bool]) -> None:
        try:
            self.qtbot.waitUntil(holds, timeout=_PATIENCE_MS)
        except QtTimeoutError as exc:
            raise AssertionError(f"It never came. There is to be read:\n{self.words()}") from exc

    def until_read(self, words: str) -> None:
        self.until(lambda: words in self.words())

    def key(self, *keys: Qt.Key) -> None:
        """To whatever has the focus."""
        for key in keys:
            QTest.keyClick(QApplication.focusWidget() or self.window, key)

    def type(self, text: str) -> None:
        target = QApplication.focusWidget()
        assert isinstance(target, QLineEdit), target
        QTest.keyClicks(target, text)

    def tab_to(self, name: str) -> None:
        """As often as it takes; a widget that Tab does not reach fails the test."""
        for _ in range(_MOST_TABS):
            focus: QWidget | None = QApplication.focusWidget()
            if focus is not None and focus.objectName() == name:
                return
            self.key(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not reach {name!r}")

    def enter(self, name: str) -> None:
        """Enter, in that line."""
        line = self.find(QLineEdit, name)
        line.setFocus()
        QTest.keyClick(line, Qt.Key.Key_Return)

    def shared_mnemonics(self) -> list[str]:
        """Letters that lead to more than one of the things that are to be seen."""
        letters = [
            made.text().partition("&")[2][:1].lower()
            for made in self.window.findChildren(QAbstractButton)
            if made.isVisible() and "&" in made.text()
        ]
        return sorted({letter for letter in letters if letters.count(letter) > 1})

    def picture(self, file: Path) -> None:
        """What is to be seen, as a file."""
        QApplication.processEvents()
        self.window.grab().save(str(file))


@dataclass(slots=True)
class Screen:
    """Opens windows on a desk, and closes both in :meth:`close`."""

    qtbot: QtBot
    home: Path
    stack: ExitStack = field(default_factory=ExitStack)

    def workplace(self) -> Workplace:
        """A computer of which nothing is known yet. Its clock is the real one, as the engine's."""
        return Workplace(self.home, now=datetime.now().astimezone())

    def open_at(self, workplace: Workplace, **look: object) -> Person:
        """A window with the agent of that computer in it."""
        desk = self.stack.enter_context(workplace.portable())
        environment = {**workplace.environment, "XDG_CACHE_HOME": str(self.home / "cache")}
        return self.open(desk, environment=environment, **look)  # type: ignore[arg-type] # as open takes

    def open(
        self,
        desk: Desk,
        *,
        environment: dict[str, str] | None = None,
        palette: Palette = LIGHT,
        size: tuple[int, int] = (1280, 800),
        locale: QLocale = ENGLISH,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> Person:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        speak(locale)
        self.stack.callback(speak, ENGLISH)
        dress(application, palette, density=FOR_POINTER)
        link = DeskLink(desk)
        outside = Outside(environment or {"HOME": str(self.home)}, now=now)
        window = MainWindow(link, palette, outside)
        self.stack.callback(self._close, window, link)
        window.resize(*size)
        with self.qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        with self.qtbot.waitSignal(link.changed):
            link.look()
        QApplication.processEvents()
        return Person(self.qtbot, window)

    def _close(self, window: MainWindow, link: DeskLink) -> None:
        window.close()
        link.close()
        window.deleteLater()
        QApplication.processEvents()

    def close(self) -> None:
        self.stack.close()
