"""A person in front of the rescue window, with a mouse or with keys alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from backup_agent.qtkit.theme import dress
from backup_agent.qtkit.tokens import LIGHT, Palette
from backup_agent.services.inventory import DiskView, inspect_disks
from backup_agent.services.machine_disks import MachineDisks
from rescue_media.errands.errands import Errands
from rescue_media.errands.machine import Machine
from rescue_media.flow.pages import Flow, Page, Surroundings
from rescue_media.ui.session import Session
from rescue_media.ui.views.tables import KEY, find
from rescue_media.ui.window import RescueWindow

_PATIENCE_MS = 120_000
_P = TypeVar("_P")
_W = TypeVar("_W", bound=QWidget)


@dataclass(frozen=True, slots=True)
class Walker:
    """``session`` is where the flow stands, ``window`` what is seen of it."""

    qtbot: QtBot
    session: Session
    window: RescueWindow

    @property
    def page(self) -> Page:
        return self.session.flow.page

    def press(self, name: str) -> None:
        """Click the button of that name."""
        found = self.find(QPushButton, name)
        assert found.isEnabled(), f"{name} cannot be pressed"
        QTest.mouseClick(found, Qt.MouseButton.LeftButton)

    def write(self, name: str, text: str) -> None:
        field = self.find(QLineEdit, name)
        field.clear()
        QTest.keyClicks(field, text)

    def click_line(self, tree_name: str, key: str) -> None:
        tree = self.find(QTreeWidget, tree_name)
        item = find(tree, key)
        assert item is not None, f"no line {key}"
        tree.scrollToItem(item)
        place = tree.visualItemRect(item).center()
        QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def keys(self, tree_name: str) -> list[str]:
        """What the lines at the top of a table are known by, and those below them."""
        tree = self.find(QTreeWidget, tree_name)
        found: list[str] = []
        for number in range(tree.topLevelItemCount()):
            top = tree.topLevelItem(number)
            assert top is not None
            found.append(str(top.data(0, KEY)))
            children = (top.child(at) for at in range(top.childCount()))
            found += [str(child.data(0, KEY)) for child in children if child is not None]
        return found

    def until(self, kind: type[_P]) -> _P:
        """The page of that kind, once it is there and nothing is waited for."""
        self.qtbot.waitUntil(
            lambda: isinstance(self.page, kind) and not self.session.flow.busy,
            timeout=_PATIENCE_MS,
        )
        page = self.page
        assert isinstance(page, kind)
        return page

    def find(self, kind: type[_W], name: str) -> _W:
        found = self.window.findChild(kind, name)
        assert found is not None, f"no {kind.__name__} {name!r}; there are {self.names(kind)}"
        return found

    def names(self, kind: type[QWidget]) -> list[str]:
        return [w.objectName() for w in self.window.findChildren(kind) if w.isVisible()]

    def words(self) -> str:
        """Everything that can be read now."""
        QApplication.processEvents()
        labels = self.window.findChildren(QLabel)
        return "\n".join(label.text() for label in labels if label.isVisible())

    def key(self, *keys: Qt.Key) -> None:
        """To whatever has the focus."""
        for key in keys:
            target = QApplication.focusWidget() or self.window
            QTest.keyClick(target, key)

    def tab_to(self, name: str) -> None:
        """As often as it takes; a widget that Tab does not reach fails the test."""
        for _ in range(80):
            focus: QWidget | None = QApplication.focusWidget()
            if focus is not None and focus.objectName() == name:
                return
            self.key(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab does not reach {name!r} on {type(self.page).__name__}")


@dataclass(slots=True)
class Screen:
    """Opens windows, and holds them until :meth:`close`."""

    qtbot: QtBot
    walkers: list[Walker] = field(default_factory=list)

    def open(
        self,
        *,
        images: tuple[Path, ...] = (),
        surroundings: Surroundings | None = None,
        environment: dict[str, str] | None = None,
        palette: Palette = LIGHT,
        size: tuple[int, int] = (1024, 768),
        machine: Machine | None = None,
    ) -> Walker:
        """The computer in front of the walker has ``images`` for disks, and no others; or is
        ``machine``.
        """
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        dress(application, palette)

        def views(repository: str) -> list[DiskView]:
            if not images:
                return []
            return list(inspect_disks([str(image) for image in images], repository=repository))

        machine = machine or Machine(
            views=views,
            own_disks=lambda _repository: MachineDisks(tuple(str(image) for image in images), ()),
        )
        session = Session(
            Errands(environment or {}, machine), Flow(surroundings=surroundings or Surroundings())
        )
        window = RescueWindow(session, palette)
        window.resize(*size)
        with self.qtbot.waitActive(window):
            window.show()
            window.activateWindow()
        walker = Walker(self.qtbot, session, window)
        self.walkers.append(walker)
        return walker

    def close(self) -> None:
        for walker in self.walkers:
            walker.window.close()
            walker.window.deleteLater()
        QApplication.processEvents()
