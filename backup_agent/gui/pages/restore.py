"""Restore: a time line of restore points, what they hold, and the ways back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from backup_agent.agent.desk import DeskState, Reach
from backup_agent.errors import JobCancelledError
from backup_agent.gui.files_model import NAME, VERSIONS, FilesModel
from backup_agent.gui.folder_model import FolderModel
from backup_agent.gui.ground import Ground, words_of
from backup_agent.gui.page import Head, Page, StateLabel, card
from backup_agent.gui.pages.restore_bar import Destination, RestoreBar, Way
from backup_agent.gui.pages.restore_from import RestoreFrom
from backup_agent.gui.shelf import Callbacks, FileRow, PointRow, Selection, Shelf
from backup_agent.model.ids import SnapshotId
from backup_agent.qtkit import words
from backup_agent.qtkit.controls import button, label
from backup_agent.qtkit.icons import icon
from backup_agent.qtkit.language import tr, trn
from backup_agent.qtkit.legend import Legend, Mark
from backup_agent.qtkit.state import State
from backup_agent.qtkit.time_line import TimeLine, TimePoint, point_words
from backup_agent.services.browse import TreePath
from backup_agent.services.restore import RestoreResult
from backup_agent.services.versions import NameHistory

_DISK = b"disk"


class RestorePage(Page):
    def __init__(self, ground: Ground, environment: Mapping[str, str]) -> None:
        super().__init__(ground, name=tr("Restore"), scrolls=False)
        self._environment = environment
        self._shelf = Shelf(environment, self)
        self._points: dict[SnapshotId, PointRow] = {}
        self._path: TreePath = ()
        self._wanted_tick: TreePath = ()
        self._folders = FolderModel(ground.palette)
        self._folders.wanted.connect(self._read_branch)
        self._files = FilesModel(ground.palette, ground.now)
        self._files.ticked.connect(self._show_selection)
        self._from = RestoreFrom(ground, self._open, self._failed)
        self._bar = RestoreBar(self._begin, self._shelf.stop, self._files.forget_ticks)
        self.body.setSpacing(10)
        self.body.addWidget(self._head())
        self.body.addWidget(self._from)
        self._said = label("", "secondary", wraps=True)
        self._said.setObjectName("restore says")
        self.body.addWidget(self._said)
        self._time_card = self._make_time_card()
        self.body.addWidget(self._time_card)
        self._browser = self._make_browser()
        self.body.addWidget(self._browser, stretch=1)
        self.body.addWidget(self._bar)
        self._spring = QWidget()
        self.body.addWidget(self._spring, stretch=1)
        self._show_points(())

    # Frame

    def _head(self) -> Head:
        head = Head(tr("Restore"))
        self._search = QLineEdit()
        self._search.setObjectName("search")
        self._search.setAccessibleName(tr("Search in all restore points"))
        self._search.setPlaceholderText(tr("Search in all restore points (Ctrl+F)"))
        self._search.setClearButtonEnabled(True)
        self._search.setMinimumWidth(200)
        self._search.returnPressed.connect(self._find)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self._search.setFocus)
        head.add(self._from.combo, self._search)
        return head

    def _make_time_card(self) -> QFrame:
        frame, inside = card()
        inside.setContentsMargins(16, 10, 16, 8)
        top = QHBoxLayout()
        top.setSpacing(10)
        self._line = TimeLine(self.ground.palette)
        self._line.setObjectName("time line")
        self._line.chosen.connect(self._show_point)
        for symbol, name, says, steps in (
            ("chevron-left", "earlier", tr("Earlier restore point"), -1),
            ("chevron-right", "later", tr("Later restore point"), 1),
        ):
            made = button("", partial(self._line.go, steps), name=name, says=says)
            made.setIcon(icon(symbol, self.ground.palette.ink2))
            made.setToolTip(says)
            made.setMaximumWidth(40)
            top.addWidget(made)
        self._when = label("", "strong")
        self._when.setObjectName("restore point")
        self._whole = StateLabel(self.ground.palette)
        self._what = label("", "secondary")
        for widget in (self._when, self._whole, self._what):
            top.addWidget(widget)
        top.addStretch(1)
        marks = (
            (Mark.FULL, tr("Entire machine")),
            (Mark.THIN, tr("Files")),
            (Mark.STRIPED, tr("Something left out")),
        )
        self._legend = Legend(marks, self.ground.palette)
        top.addWidget(self._legend)
        self._range = QComboBox()
        self._range.setObjectName("range")
        self._range.setAccessibleName(tr("How much time is shown"))
        for days, text in (
            (7, tr("1 week")),
            (14, tr("2 weeks")),
            (60, tr("2 months")),
            (365, tr("1 year")),
        ):
            self._range.addItem(text, days)
        self._range.setCurrentIndex(1)
        self._range.currentIndexChanged.connect(
            lambda: self._line.show_days(int(self._range.currentData()))
        )
        top.addWidget(self._range)
        inside.addLayout(top)
        inside.addWidget(self._line)
        return frame

    def _make_browser(self) -> QSplitter:
        self._tree = QTreeView()
        self._tree.setObjectName("folders of the restore point")
        self._tree.setAccessibleName(tr("Folders of the restore point"))
        self._tree.setModel(self._folders)
        self._tree.setHeaderHidden(True)
        self._tree.setUniformRowHeights(True)
        self._tree.setTabKeyNavigation(False)
        self._tree.selectionModel().currentChanged.connect(self._folder_changed)
        self._table = QTreeView()
        self._table.setObjectName("files of the restore point")
        self._table.setAccessibleName(tr("What the folder holds. Space ticks, Enter opens"))
        self._table.setModel(self._files)
        self._table.setRootIsDecorated(False)
        self._table.setUniformRowHeights(True)
        self._table.setAllColumnsShowFocus(True)
        self._table.setTabKeyNavigation(False)
        self._table.activated.connect(self._open_item)
        header = self._table.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        # Columns as wide as all rows need would mean to look at all rows.
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((1, 90), (2, 150), (3, 80)):
            header.resizeSection(column, width)
        self._trail = label("", "strong")
        self._trail.setObjectName("trail")
        self._count = label("", "caption")
        top = QHBoxLayout()
        self._up = button(tr("&Up"), self._go_up, name="up")
        self._all = button(tr("Tick &all"), self._tick_all, name="tick all")
        top.addWidget(self._up)
        top.addWidget(self._trail, stretch=1)
        top.addWidget(self._count)
        top.addWidget(self._all)
        right = QWidget()
        inside = QVBoxLayout(right)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(6)
        inside.addLayout(top)
        inside.addWidget(self._table, stretch=1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self._tree)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([236, 700])
        splitter.setChildrenCollapsible(False)
        return splitter

    def set_narrow(self, *, narrow: bool) -> None:
        super().set_narrow(narrow=narrow)
        self._legend.setVisible(not narrow)
        self._table.setColumnHidden(VERSIONS, narrow)

    def show_state(self, state: DeskState) -> None:
        self._from.show_state(state)

    def appeared(self) -> None:
        self._from.open_if_needed()
        (self._line if self._points else self._from.combo).setFocus()

    def open_plan(self, plan_id: str) -> None:
        self._from.open_plan(plan_id)

    def close_shelf(self) -> None:
        self._shelf.close()

    # Points

    def _open(self, reach: Reach) -> None:
        self._show_points(())
        self._said.setText(tr("Reading the restore points"))
        self._said.show()
        # A shelf that is busy with another repository is left behind, not waited for.
        self._shelf.open(reach, Callbacks(self._show_points, self._failed))

    def _show_points(self, rows: tuple[PointRow, ...]) -> None:
        self._points = {row.id: row for row in rows}
        points = tuple(
            TimePoint(row.id, row.time, row.is_machine, row.is_whole, _words_of(row))
            for row in rows
        )
        self._line.show_points(points, today=self.ground.now().date())
        self._files.forget_ticks()
        for widget in (self._time_card, self._browser, self._bar):
            widget.setVisible(bool(rows))
        self._spring.setVisible(not rows)
        self._said.setText(tr("There is no restore point yet."))
        self._said.setVisible(not rows)
        if rows:
            self._from.put_away()
            self._show_point(rows[-1].id)
            if self.isVisible():
                self._line.setFocus()

    def _show_point(self, point: str) -> None:
        row = self._points[SnapshotId(point)]
        self._when.setText(words.moment(row.time))
        state = State.OK if row.is_whole else State.WARNING
        self._whole.show_state(state, tr("Complete") if row.is_whole else tr("Something left out"))
        facts = [tr("Entire machine") if row.is_machine else tr("Files"), row.computer]
        if row.size is not None:
            facts.append(words.size(row.size))
        self._what.setText(", ".join(filter(None, facts)))
        self._files.forget_ticks()
        self._folders.clear()
        self._tree.expand(self._folders.index(0, 0))
        self._go(self._path)

    # Folders

    @property
    def _point(self) -> SnapshotId:
        current = self._line.current
        assert current is not None
        return SnapshotId(current.id)

    def _read_branch(self, path: TreePath) -> None:
        if self._points:
            done = partial(self._folders.show_folders, path)
            self._shelf.list_folder(self._point, path, Callbacks(done, self._failed))

    def _folder_changed(self, current: QModelIndex) -> None:
        if current.isValid():
            self._go(self._folders.path_at(current))

    def _go(self, path: TreePath) -> None:
        """Show that folder; where this restore point has none of that path, what is above it."""
        self._path = path
        self._search.clear()
        self._say_where(path)
        callbacks = Callbacks(
            partial(self._show_rows, self._point, path), partial(self._not_there, path)
        )
        self._shelf.list_folder(self._point, path, callbacks)

    def _not_there(self, path: TreePath, error: BaseException) -> None:
        if path and path == self._path:
            self._go(path[:-1])
        else:
            self._failed(error)

    def _show_rows(self, point: SnapshotId, path: TreePath, rows: tuple[FileRow, ...]) -> None:
        if path != self._path or point != self._point:
            return
        self._folders.show_folders(path, rows)
        if len(rows) == 1 and rows[0].is_folder and len(path) < 2 and not self._wanted_tick:
            # Folders that only lead to what was backed up are no page of their own.
            self._go(rows[0].path)
            return
        self._files.show_rows(rows)
        self._say_title(_last_name(path))
        self._table.scrollToTop()
        self._all.setEnabled(bool(rows))
        self._count.setText(trn("{number} item", "{number} items", len(rows)))
        self._show_in_tree(path)
        if self._wanted_tick[:-1] == path and self._wanted_tick:
            self._tick(self._wanted_tick)
        if rows:
            self._table.setCurrentIndex(self._files.index(0, 0))
        if path[:1] and path[0].startswith(_DISK):
            return
        show = partial(self._show_history, path)
        self._shelf.history(path, Callbacks(show, lambda _error: None))

    def _show_history(self, path: TreePath, history: Mapping[bytes, NameHistory]) -> None:
        if path == self._path:
            self._files.show_history(history)

    def _show_in_tree(self, path: TreePath) -> None:
        for depth in range(len(path)):
            self._tree.expand(self._folders.index_of(path[:depth]))
        index = self._folders.index_of(path)
        if index.isValid():
            selection = self._tree.selectionModel()
            selection.blockSignals(True)
            self._tree.setCurrentIndex(index)
            selection.blockSignals(False)
            self._tree.viewport().update()

    def _say_where(self, path: TreePath) -> None:
        names = [name.decode("utf-8", "backslashreplace") for name in path[-3:]]
        if len(path) > 3:
            names.insert(0, "…")
        self._trail.setText(" / ".join(names) or tr("Everything"))
        self._trail.setToolTip("/" + b"/".join(path).decode("utf-8", "backslashreplace"))
        self._up.setEnabled(bool(path))

    def _say_title(self, where: str) -> None:
        self.setWindowTitle(f"{where} - {tr('Restore')}")

    def _go_up(self) -> None:
        if self._path:
            self._go(self._path[:-1])

    def _open_item(self, index: QModelIndex) -> None:
        row = self._files.row_at(index.row())
        if row.point is not None:
            self._go_to_version(row.path, row.point)
        elif row.is_folder:
            self._go(row.path)
        else:
            self._files.tick(index.row(), ticked=row.path not in self._files.chosen)

    # Search

    def _find(self) -> None:
        if text := self._search.text().strip():
            self._trail.setText(tr("Searching for {words}", words=text))
            self._shelf.search(text, Callbacks(self._show_found, self._failed))
        elif self._points:
            self._go(self._path)

    def _show_found(self, rows: tuple[FileRow, ...]) -> None:
        self._trail.setText(tr("Found in all restore points; Enter goes there"))
        self._say_title(tr("Found"))
        self._count.setText(trn("{number} version", "{number} versions", len(rows)))
        self._files.show_rows(rows)
        self._all.setEnabled(False)
        if rows:
            self._table.setFocus()
            self._table.setCurrentIndex(self._files.index(0, 0))
        self._table.scrollToTop()

    def _go_to_version(self, path: TreePath, point: SnapshotId) -> None:
        """To the restore point that has it, and to its folder, ticked."""
        self._wanted_tick = path
        self._path = path[:-1]
        number = list(self._points).index(point)
        if self._line.current is not None and self._line.current.id == point:
            self._go(self._path)
        else:
            self._line.go_to(number)

    # Ticks

    def _tick(self, path: TreePath) -> None:
        self._wanted_tick = ()
        for number, row in enumerate(self._files.rows):
            if row.path == path:
                self._files.tick(number, ticked=True)
                return

    def _tick_all(self) -> None:
        chosen = self._files.chosen
        every = all(row.path in chosen for row in self._files.rows)
        self._files.tick_all(ticked=not every)

    def _show_selection(self) -> None:
        current = self._line.current
        rows = tuple(self._files.chosen.values())
        on_disk = any(path[0].startswith(_DISK) for path in self._files.chosen)
        is_machine = current is not None and current.is_machine
        self._bar.show_selection(
            rows,
            words.moment(current.time) if current is not None else "",
            can_be_in_place=not (on_disk and is_machine),
        )

    # Restoring

    def _begin(self, destination: Destination) -> None:
        selection = Selection(self._point, tuple(self._files.chosen))
        if destination.way is Way.ZIP:
            saved = partial(self._zipped, destination)
            self._shelf.zip(
                selection, destination.path, Callbacks(saved, self._ended_badly, self._bar.hear)
            )
            return
        restored = partial(self._restored, destination)
        self._shelf.restore(
            selection,
            destination.path,
            destination.existing,
            Callbacks(restored, self._ended_badly, self._bar.hear),
        )

    def _restored(self, destination: Destination, result: RestoreResult) -> None:
        files = trn("{number} file", "{number} files", result.files)
        size = words.size(result.bytes)
        if destination.way is Way.IN_PLACE:
            said = tr("{files} restored in place, {size}.", files=files, size=size)
        else:
            said = tr(
                "{files} restored to {folder}, {size}.",
                files=files,
                folder=destination.path,
                size=size,
            )
        self._bar.show_outcome(said)
        self._files.forget_ticks()

    def _zipped(self, destination: Destination, size: int) -> None:
        self._bar.show_outcome(
            tr("Saved as {file}, {size}.", file=destination.path, size=words.size(size))
        )
        self._files.forget_ticks()

    def _ended_badly(self, error: BaseException) -> None:
        happened, hint = words_of(error)
        if isinstance(error, JobCancelledError):
            happened, hint = tr("Stopped as asked. What is restored so far is whole."), ""
        self._bar.show_outcome(f"{happened} {hint}".strip())

    def _failed(self, error: BaseException) -> None:
        happened, hint = words_of(error)
        self._said.setText(f"{happened} {hint}".strip())
        self._said.show()


def _last_name(path: TreePath) -> str:
    return path[-1].decode("utf-8", "backslashreplace") if path else tr("Everything")


def _words_of(row: PointRow) -> str:
    what = tr("Entire machine") if row.is_machine else tr("Files")
    return point_words(row.time, what=what, size=row.size, is_whole=row.is_whole)
