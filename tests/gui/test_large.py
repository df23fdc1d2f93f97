"""100,000 names in a folder, 10,000 restore points: the window stays quick."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from backup_agent.gui.files_model import FilesModel
from backup_agent.gui.folder_model import FolderModel
from backup_agent.gui.places import Place
from backup_agent.gui.shelf import FileRow, PointRow, in_order
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import ignore
from backup_agent.model.ids import SnapshotId
from backup_agent.qtkit.time_line import TimeLine, TimePoint
from backup_agent.qtkit.tokens import LIGHT
from backup_agent.services.backup import BackupSettings, run_backup
from backup_agent.services.sources import FileSelection, files_source
from backup_agent.storage.local import LocalBackend
from tests.gui.person import FILES, Screen
from tests.gui.played_desk import MACHINE, NOW, PlayedDesk, month_of_runs, protected, run
from tests.points import PASSWORD, new_repository

MANY = 100_000
LONGEST_SECONDS = 0.1


class Pulse(QObject):
    """How long the window's thread worked between two looks at its events, at most.

    Processor time of that thread: other programs may have made it wait, but not work.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._last = time.thread_time()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(0)

    def _beat(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def begin_anew(self) -> None:
        self.longest, self._last = 0.0, time.thread_time()


def rows(count: int, *, folders: bool = False) -> tuple[FileRow, ...]:
    return tuple(
        FileRow((b"f%06d" % n,), f"f{n:06}", folders, False, n, 1_700_000_000_000_000_000)
        for n in range(count)
    )


def test_a_folder_of_many_files_comes_to_the_view_in_parts(qtbot: QtBot) -> None:
    model = FilesModel(LIGHT, lambda: NOW)
    model.show_rows(rows(1_700))
    seen = []
    while model.canFetchMore(model.index(-1, -1)):
        seen.append(model.rowCount())
        model.fetchMore(model.index(-1, -1))
    assert [*seen, model.rowCount()] == [500, 1000, 1500, 1700]


def test_a_folder_of_many_folders_unfolds_in_parts(qtbot: QtBot) -> None:
    model = FolderModel(LIGHT)
    root = model.index(0, 0)
    with qtbot.waitSignal(model.wanted) as wanted:
        model.fetchMore(root)
    assert wanted.args == [()]
    model.show_folders((), rows(1_200, folders=True))
    assert model.rowCount(root) == 500
    model.fetchMore(root)
    model.fetchMore(root)
    assert model.rowCount(root) == 1_200
    assert not model.canFetchMore(root)


def test_the_models_keep_what_qt_expects_of_models(qtbot: QtBot) -> None:
    fatal = QAbstractItemModelTester.FailureReportingMode.Fatal
    files, folders = FilesModel(LIGHT, lambda: NOW), FolderModel(LIGHT)
    testers = [QAbstractItemModelTester(model, fatal) for model in (files, folders)]
    # No more than one part: the tester itself asks for the next while one is being put in.
    files.show_rows(rows(300))
    files.tick_all(ticked=True)
    files.show_rows(rows(3))
    folders.show_folders((), rows(300, folders=True))
    folders.show_folders((b"f000001",), ())
    folders.clear()
    assert [tester.model() for tester in testers] == [files, folders]


def test_the_order_is_folders_first_then_names_case_aside() -> None:
    names = ("b.txt", "A.txt", "a", "Zoo")
    mixed = [FileRow((n.encode(),), n, n in ("a", "Zoo"), False, 0, 0) for n in names]
    assert [row.name for row in in_order(mixed)] == ["a", "Zoo", "A.txt", "b.txt"]


def points(count: int) -> tuple[PointRow, ...]:
    return tuple(
        PointRow(
            SnapshotId(f"{n:08}"),
            NOW - timedelta(hours=count - n),
            "atelier",
            n % 24 == 0,
            n % 50 != 0,
            n,
        )
        for n in range(count)
    )


def test_a_time_line_of_many_points_goes_from_end_to_end_without_a_pause(
    qtbot: QtBot, screen: Screen
) -> None:
    line = TimeLine(LIGHT)
    qtbot.addWidget(line)
    line.resize(900, 80)
    line.show()
    many = tuple(
        TimePoint(row.id, row.time, row.is_machine, row.is_whole, row.id) for row in points(10_000)
    )
    pulse = Pulse()
    qtbot.wait(50)
    pulse.begin_anew()
    line.show_points(many, today=NOW.date())
    for key in (Qt.Key.Key_Home, Qt.Key.Key_PageDown, Qt.Key.Key_Right, Qt.Key.Key_End):
        QTest.keyClick(line, key)
        qtbot.wait(20)
    line.show_days(365)
    qtbot.wait(50)
    assert line.current is not None
    assert line.current.id == many[-1].id
    assert pulse.longest < LONGEST_SECONDS


def test_the_window_never_works_long_while_a_folder_of_many_files_is_listed(
    qtbot: QtBot, screen: Screen, tmp_path: Path
) -> None:
    source = tmp_path / "many"
    source.mkdir()
    for number in range(MANY):
        (source / f"name {number:06}").touch()
    repository = new_repository(LocalBackend(tmp_path / "repository"))
    run_backup(
        repository,
        files_source(FileSelection((str(source),))),
        BackupSettings(),
        emit=ignore,
        cancel=CancelToken(),
    )
    person = screen.open(PlayedDesk(protected(), history=month_of_runs()), now=lambda: NOW)
    person.go(Place.RESTORE)
    pulse = Pulse()
    person.choose("restore from", "")
    person.write("storage address", str(tmp_path / "repository"))
    person.write("password elsewhere", PASSWORD)
    qtbot.wait(50)
    pulse.begin_anew()
    person.press("open elsewhere")
    person.until(lambda: person.sees(FILES) and person.lines(FILES) != [])
    person.walk_to(source)
    person.until_read("100,000 items")
    qtbot.wait(100)
    assert pulse.longest < LONGEST_SECONDS


def test_a_long_history_of_runs_is_read_in_parts(screen: Screen) -> None:
    history = tuple(run(MACHINE, hours) for hours in range(1, 900))
    person = screen.open(PlayedDesk(protected(), history=history), now=lambda: NOW)
    person.go(Place.ACTIVITY)
    person.until(lambda: len(person.lines("past runs")) >= 50)
    first = len(person.lines("past runs"))
    assert first < 200
    person.key(Qt.Key.Key_End)
    person.until(lambda: len(person.lines("past runs")) > first)
