"""The frame: navigation at the left, one page at a time, and what went wrong above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QIcon, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from backup_agent.agent.desk import DeskState
from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.ground import Ground, Ways, words_of
from backup_agent.gui.navigation import Navigation
from backup_agent.gui.page import Page, note
from backup_agent.gui.pages.activity import ActivityPage
from backup_agent.gui.pages.media import MediaPage
from backup_agent.gui.pages.overview import OverviewPage
from backup_agent.gui.pages.plans import PlansPage
from backup_agent.gui.pages.restore import RestorePage
from backup_agent.gui.pages.settings import SettingsPage
from backup_agent.gui.places import Place, name_of
from backup_agent.gui.preferences import Preferences
from backup_agent.qtkit.controls import button
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.state import State
from backup_agent.qtkit.tokens import Palette

_NARROW = 1040
_SMALLEST = (720, 480)


@dataclass(frozen=True, slots=True)
class Outside:
    """What the window has from around it. ``now`` has the zone in which times are shown."""

    environment: Mapping[str, str]
    wear: Callable[[Preferences], None] = lambda _preferences: None
    """Somebody chose another look."""
    now: Callable[[], datetime] = lambda: datetime.now().astimezone()


class MainWindow(QMainWindow):
    """Closing it hides it while there is a tray: backups go on, and it comes back from there."""

    ended = Signal()
    """It was closed for good."""

    def __init__(self, desk: DeskLink, palette: Palette, outside: Outside) -> None:
        super().__init__()
        self.setWindowTitle("Everboot")
        self.setMinimumSize(*_SMALLEST)
        self.hides_when_closed = False
        self._desk, self._outside = desk, outside
        self._place = Place.OVERVIEW
        self._problem: QWidget | None = None
        self._build(palette)
        self._add_shortcuts()
        desk.changed.connect(self._show_state)
        desk.failed.connect(self.tell)

    # Frame

    def _build(self, palette: Palette) -> None:
        self._palette = palette
        self.setWindowIcon(app_icon(palette))
        self._navigation = Navigation(palette)
        self._navigation.wanted.connect(self.go)
        self._pages = self._make_pages(palette)
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
            page.windowTitleChanged.connect(self._bear_title)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._stack, stretch=1)
        frame = QWidget()
        across = QHBoxLayout(frame)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self._navigation)
        across.addLayout(self._column, stretch=1)
        self.setCentralWidget(frame)
        self._fit()
        self.go(self._place)

    def _make_pages(self, palette: Palette) -> dict[Place, Page]:
        ways = Ways(
            go=self.go,
            plan=self.plan,
            new_plan_of_machine=self.new_plan_of_machine,
            restore=self.restore,
            run=self.show_run,
            link=self.link,
            tell=self.tell,
        )
        ground = Ground(self._desk, palette, self._outside.now, ways)
        environment = self._outside.environment
        self._plans = PlansPage(ground)
        self._restore = RestorePage(ground, environment)
        self._activity = ActivityPage(ground)
        self._media = MediaPage(ground)
        self._settings = SettingsPage(ground, environment, self._outside.wear)
        return {
            Place.OVERVIEW: OverviewPage(ground),
            Place.PLANS: self._plans,
            Place.RESTORE: self._restore,
            Place.ACTIVITY: self._activity,
            Place.MEDIA: self._media,
            Place.SETTINGS: self._settings,
        }

    def _add_shortcuts(self) -> None:
        for number, place in enumerate(Place, start=1):
            action = QAction(name_of(place), self)
            action.setShortcut(QKeySequence(f"Ctrl+{number}"))
            action.triggered.connect(partial(self._go_and_focus, place))
            self.addAction(action)
        quit_action = QAction(tr("Quit"), self)
        quit_action.setShortcut(QKeySequence(QKeySequence.StandardKey.Quit))
        quit_action.triggered.connect(self.end)
        self.addAction(quit_action)

    def wear(self, palette: Palette) -> None:
        """The system has become dark or light: everything is drawn anew, in the same place."""
        self.close_pages()
        self._problem = None
        self._build(palette)
        if self._desk.state is not None:
            self._show_state(self._desk.state)

    # Ways

    def go(self, place: Place) -> None:
        if place is not self._place:
            self.forget_problem()
        self._place = place
        self._navigation.show_place(place)
        self._stack.setCurrentWidget(self._pages[place])
        self._bear_title()
        self._pages[place].appeared()

    def _bear_title(self) -> None:
        self.setWindowTitle(f"{self._pages[self._place].windowTitle()} - Everboot")

    def _go_and_focus(self, place: Place) -> None:
        self.go(place)
        if not self._pages[place].isAncestorOf(self.focusWidget()):
            self._navigation.focus_list()

    def plan(self, plan_id: str) -> None:
        self.go(Place.PLANS)
        self._plans.assist(plan_id)

    def new_plan_of_machine(self) -> None:
        self.go(Place.PLANS)
        self._plans.assist("", of_machine=True)

    def restore(self, plan_id: str) -> None:
        self.go(Place.RESTORE)
        self._restore.open_plan(plan_id)

    def show_run(self, run_id: str) -> None:
        self.go(Place.ACTIVITY)
        self._activity.show_run(run_id)

    def link(self) -> None:
        self.go(Place.SETTINGS)
        self._settings.link()

    def tell(self, error: BaseException) -> None:
        """What went wrong stays above the page until it is put away."""
        self.forget_problem()
        happened, hint = words_of(error)
        away = button(tr("&Dismiss"), self.forget_problem, kind="quiet", name="dismiss")
        self._problem = note(State.PROBLEM, happened, hint, self._palette, away)
        self._problem.setObjectName("problem")
        self._column.insertWidget(0, self._problem)

    def forget_problem(self) -> None:
        if self._problem is not None:
            self._problem.hide()
            self._problem.setParent(None)
            self._problem.deleteLater()
            self._problem = None

    # News

    def _show_state(self, state: DeskState) -> None:
        running = len(state.running)
        words = trn("{number} running", "{number} running", running) if running else ""
        self._navigation.mark(Place.ACTIVITY, words)
        linked = tr("Linked to {console}", console=state.console) if state.console else ""
        self._navigation.show_foot(linked or tr("Not linked to a console"))
        for page in self._pages.values():
            page.show_state(state)

    # Size and end

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < _NARROW
        self._navigation.set_narrow(narrow=narrow)
        for page in self._pages.values():
            page.set_narrow(narrow=narrow)

    def come_forward(self) -> None:
        self.show()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()

    def close_pages(self) -> None:
        """End what the pages still do beside the window."""
        self._restore.close_shelf()
        self._settings.close_link()
        self._media.close_queue()

    def end(self) -> None:
        """Close for good."""
        self.hides_when_closed = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        if self.hides_when_closed:
            event.ignore()
            self.hide()
            return
        self.close_pages()
        super().closeEvent(event)
        self.ended.emit()


def app_icon(palette: Palette) -> QIcon:
    return icon("mark", palette.accent, pixels=32)
