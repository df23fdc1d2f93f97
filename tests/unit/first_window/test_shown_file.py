"""The medium learns what can be seen of the window, once it can and not before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from backup_agent.model.events import Progress, TryingAgain
from rescue_media.errands.errands import Errands
from rescue_media.flow import answers as a
from rescue_media.flow import moves as m
from rescue_media.flow.pages import Flow, Running
from rescue_media.flow.values import Problem, Purpose
from rescue_media.ui.session import Session
from rescue_media.ui.shown_file import VARIABLE, tell_what_is_shown


@pytest.fixture(name="session")
def _session(qtbot: QtBot) -> Iterator[Session]:
    session = Session(Errands({}), Flow())
    yield session
    session.close()


def test_the_file_is_made_when_the_window_was_drawn_and_tells_each_page(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "window"
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    tell_what_is_shown(window, session, {VARIABLE: str(file)})
    session.send(m.ManageLocally())
    assert not file.exists()
    window.show()
    qtbot.waitUntil(file.exists)
    assert json.loads(file.read_text()) == {
        "page": "Manage",
        "ready": True,
        "busy": "",
        "problem": "",
        "work": "",
        "typed": 0,
    }
    session.send(m.Choose(Purpose.RESTORE))
    session.send(m.SelectData())
    told = json.loads(file.read_text())
    assert (told["page"], told["ready"]) == ("Select", False)


def test_the_file_tells_the_problem_that_the_page_shows(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "window"
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    tell_what_is_shown(window, session, {VARIABLE: str(file)})
    window.show()
    qtbot.waitUntil(file.exists)
    session.send(a.Failed(Problem("The network is gone.", "Plug it in.")))
    assert json.loads(file.read_text())["problem"] == "The network is gone. Plug it in."


def test_the_file_tells_how_far_work_is_and_that_it_waits(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "window"
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    session.flow = Flow(Running("Restoring", Purpose.RESTORE))
    tell_what_is_shown(window, session, {VARIABLE: str(file)})
    window.show()
    qtbot.waitUntil(file.exists)
    for news, told in (
        (Progress("restore", bytes_done=5, bytes_total=10), "restore 5 of 10"),
        (TryingAgain("The network is gone; trying again."), "The network is gone; trying again."),
    ):
        session.news.emit(news)
        assert json.loads(file.read_text())["work"] == told


def test_the_file_counts_the_characters_typed_and_does_not_tell_them(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "window"
    window = QLineEdit()
    qtbot.addWidget(window)
    tell_what_is_shown(window, session, {VARIABLE: str(file)})
    window.show()
    qtbot.waitUntil(file.exists)
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    for key in (Qt.Key.Key_Q, Qt.Key.Key_X, Qt.Key.Key_Shift):
        QTest.keyClick(window.windowHandle(), key)
    qtbot.waitUntil(lambda: json.loads(file.read_text())["typed"] > 0)
    assert window.text().lower() == "qx"
    assert json.loads(file.read_text())["typed"] == len("qx")
    assert "qx" not in file.read_text().lower()


def test_without_anybody_waiting_nothing_is_told(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    window = QLabel("Rescue Media")
    qtbot.addWidget(window)
    tell_what_is_shown(window, session, {})
    with qtbot.waitExposed(window):
        window.show()
    assert list(tmp_path.iterdir()) == []
