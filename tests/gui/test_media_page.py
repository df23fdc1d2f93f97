"""A key is written through the window, and read back; what is no image or no key is said."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from backup_agent.gui.desk_link import DeskLink
from backup_agent.gui.ground import Ground, Ways
from backup_agent.gui.pages.media import KeyTools, MediaPage
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import Disk
from backup_agent.model.events import Emit
from backup_agent.qtkit.tokens import LIGHT
from backup_agent.services.media.key import KeyPlan, plan_key, removable_disks, write_key
from tests.gui.played_desk import NOW, PlayedDesk, protected
from tests.helpers.small_medium import make_small_medium
from tests.unit.media.test_key import KEY_SIZE, HostWithForgetfulKey, HostWithKey

_PATIENCE_MS = 60_000


def page_for(qtbot: QtBot, host: HostWithKey) -> MediaPage:
    def nowhere(*_where: object) -> None:
        raise AssertionError("this page leads nowhere")

    ways = Ways(nowhere, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere)
    ground = Ground(DeskLink(PlayedDesk(protected())), LIGHT, lambda: NOW, ways)

    def write(plan: KeyPlan, emit: Emit, cancel: CancelToken) -> None:
        write_key(plan, emit=emit, cancel=cancel, host=host)

    tools = KeyTools(partial(removable_disks, host=host), partial(plan_key, host=host), write)
    page = MediaPage(ground, tools)
    qtbot.addWidget(page, before_close_func=lambda _page: page.close_queue())
    page.show()
    page.appeared()
    return page


def said(page: MediaPage, name: str) -> str:
    label = page.findChild(QLabel, name)
    assert label is not None
    return label.text()


def name_image(page: MediaPage, image: Path) -> None:
    line = page.findChild(QLineEdit, "image")
    assert line is not None
    line.setText(str(image))
    line.editingFinished.emit()


def press(page: MediaPage, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert button is not None
    button.click()


@pytest.fixture
def key(tmp_path: Path) -> Disk:
    file = tmp_path / "key"
    file.write_bytes(b"\xff" * KEY_SIZE)
    path = str(file)
    return Disk(path, path, KEY_SIZE, 512, model="Stick", transport="usb", removable=True)


def test_a_key_is_written_and_what_is_lost_is_said_before(
    qtbot: QtBot, tmp_path: Path, key: Disk
) -> None:
    medium = make_small_medium(tmp_path)
    page = page_for(qtbot, HostWithKey(key))
    name_image(page, medium)
    qtbot.waitUntil(
        lambda: "Everboot rescue media" in said(page, "image says"), timeout=_PATIENCE_MS
    )
    qtbot.waitUntil(lambda: "Stick" in said(page, "what is lost"), timeout=_PATIENCE_MS)
    assert said(page, "what is lost") == "Everything on Stick (17 MB) will be replaced."
    press(page, "write key")
    qtbot.waitUntil(lambda: "read back" in said(page, "key outcome"), timeout=_PATIENCE_MS)
    image = medium.read_bytes()
    assert Path(key.path).read_bytes()[: len(image)] == image


def test_a_key_that_forgets_is_not_called_written(qtbot: QtBot, tmp_path: Path, key: Disk) -> None:
    page = page_for(qtbot, HostWithForgetfulKey(key))
    name_image(page, make_small_medium(tmp_path))
    qtbot.waitUntil(lambda: "Stick" in said(page, "what is lost"), timeout=_PATIENCE_MS)
    press(page, "write key")
    qtbot.waitUntil(
        lambda: "does not read as it was written" in said(page, "key outcome"),
        timeout=_PATIENCE_MS,
    )


def test_a_file_that_is_no_rescue_media_is_refused(qtbot: QtBot, tmp_path: Path, key: Disk) -> None:
    other = tmp_path / "film.iso"
    other.write_bytes(bytes(100_000))
    page = page_for(qtbot, HostWithKey(key))
    name_image(page, other)
    qtbot.waitUntil(lambda: said(page, "image says") != "", timeout=_PATIENCE_MS)
    assert "Everboot rescue media." not in said(page, "image says")
