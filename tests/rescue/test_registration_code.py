"""By the registration code, through a console that runs, approved over HTTP as in a browser."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from backup_agent.model.media import MediaSettings
from rescue_media.flow import pages as p
from rescue_media.flow.pages import Surroundings
from tests.command_line import CommandLine
from tests.console.live_owner import LiveOwner, add_folder, become_owner
from tests.console.running import running_console
from tests.console.test_link_command import a_shell, be_linked
from tests.helpers.small_computer import make_small_computer
from tests.rescue.walker import Screen, Walker

pytestmark = pytest.mark.usefixtures("weak_keys")


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[LiveOwner]:
    with contextlib.ExitStack() as stack:
        console = stack.enter_context(running_console(tmp_path, "--storage-root", str(tmp_path)))
        http = stack.enter_context(httpx.Client(base_url=console.address))
        found = become_owner(console, http)
        add_folder(console, tmp_path)
        yield found


def ask_for_code(screen: Screen, owner: LiveOwner, home: CommandLine) -> tuple[Walker, str]:
    """The window on the page with the code, and the code."""
    media = MediaSettings(console=owner.console.address)
    walker = screen.open(surroundings=Surroundings(media=media), environment=home.environment())
    for name in ("Manage the device locally", "Restore", "Select data…", "Browse", "Cloud Storage"):
        walker.press(name)
    walker.press("Use the registration code")
    walker.qtbot.waitUntil(lambda: shown_code(walker) != "", timeout=60_000)
    return walker, shown_code(walker)


def shown_code(walker: Walker) -> str:
    page = walker.page
    return page.shown.user_code if isinstance(page, p.Code) and page.shown else ""


def test_a_computer_is_found_by_the_code_and_opened_with_its_managed_password(
    screen: Screen, owner: LiveOwner, tmp_path: Path
) -> None:
    source = a_shell(tmp_path / "source")
    be_linked(source, owner, "ATELIER-01")
    computer = make_small_computer(tmp_path, "linux-gpt-ext")
    source.ok("init")
    source.ok("backup", "--disk", computer.image)
    source.ok("key", "add", "--managed")
    in_memory = private_folders()

    walker, code = ask_for_code(screen, owner, a_shell(tmp_path / "rescue", password=""))
    words = walker.words()
    assert code in words
    assert len(code) == 9
    assert owner.console.address.removeprefix("http://") in words
    owner.approve(code, kind="restore", may_read="ATELIER-01")
    select = walker.until(p.Select)
    assert [one.name for one in select.workstations] == ["ATELIER-01"]
    walker.click_line("workstations", "computer 0")
    walker.qtbot.waitUntil(lambda: points(walker) > 0, timeout=60_000)
    select = walker.until(p.Select)
    assert select.workstations[0].points is not None
    walker.click_line("workstations", f"point 0 {select.workstations[0].points[0].id}")
    walker.qtbot.waitUntil(lambda: "volume 2" in contents(walker), timeout=60_000)

    walker.window.close()
    assert private_folders() <= in_memory, "the device's key is still there"


def private_folders() -> set[str]:
    """Ours in memory; what other programs keep there comes and goes."""
    return {name for name in os.listdir("/dev/shm") if name.startswith("everboot-")}


def points(walker: Walker) -> int:
    page = walker.page
    return len(page.workstations[0].points or ()) if isinstance(page, p.Select) else 0


def contents(walker: Walker) -> str:
    page = walker.page
    if not isinstance(page, p.Select):
        return ""
    return " ".join(f"volume {v.number}" for disk in page.contents for v in disk.volumes)


def test_a_refused_code_leads_back_in_words_and_the_next_one_differs(
    screen: Screen, owner: LiveOwner, tmp_path: Path
) -> None:
    walker, code = ask_for_code(screen, owner, a_shell(tmp_path / "rescue", password=""))
    owner.refuse(code)
    walker.until(p.Cloud)
    assert "refused this device" in walker.words()

    walker.press("Use the registration code")
    walker.qtbot.waitUntil(lambda: shown_code(walker) != "", timeout=60_000)
    assert shown_code(walker) != code
    walker.key(Qt.Key.Key_Escape)
    assert isinstance(walker.page, p.Cloud)


def test_log_in_names_the_way_out(screen: Screen) -> None:
    media = MediaSettings(console="https://backup.example.org")
    walker = screen.open(surroundings=Surroundings(media=media))
    for name in ("Manage the device locally", "Restore", "Select data…", "Browse", "Cloud Storage"):
        walker.press(name)
    walker.press("Log In")
    assert "two-factor" in walker.words()
    assert walker.find(QPushButton, "Use the registration code").hasFocus()
