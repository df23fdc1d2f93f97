"""What is chosen in Settings holds: for the agent, for the look, and for the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QLabel, QSpinBox

from backup_agent.gui.places import Place
from backup_agent.gui.preferences import (
    Language,
    Preferences,
    Theme,
    load_preferences,
    preferences_file,
    save_preferences,
)
from backup_agent.qtkit.tokens import DARK
from backup_agent.services.link.identity import identity_file
from tests.console.live_owner import LiveOwner, add_folder, become_owner
from tests.console.running import running_console
from tests.gui.person import Screen
from tests.gui.played_desk import PlayedDesk, protected


def test_a_choice_of_look_is_kept_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    file = preferences_file({"XDG_CONFIG_HOME": str(tmp_path)})
    chosen = Preferences(Theme.DARK, Language.FRENCH)
    save_preferences(chosen, file)
    assert load_preferences(file) == chosen
    file.write_text("{")
    assert load_preferences(file) == Preferences()


def test_the_speed_and_the_consoles_say_reach_the_agent(screen: Screen) -> None:
    workplace = screen.workplace()
    person = screen.open_at(workplace)
    person.go(Place.SETTINGS)
    person.find(QSpinBox, "upload limit").setValue(700)
    desk = person.window._desk
    answers: list[int] = []

    def look() -> bool:
        desk.ask(lambda d: d.settings(), lambda found: answers.append(found.upload_limit))
        return 700 in answers

    person.until(look)


def test_diagnostics_are_copied_without_secrets(screen: Screen) -> None:
    person = screen.open_at(screen.workplace())
    person.go(Place.SETTINGS)
    person.press("copy diagnostics")
    person.until_read("Copied")
    assert '"everboot"' in QGuiApplication.clipboard().text()


def test_the_window_turns_dark_in_its_place(screen: Screen) -> None:
    person = screen.open(PlayedDesk(protected()))
    person.go(Place.SETTINGS)
    person.window.wear(DARK)
    person.until_read("Version 0.1.0.")
    assert person.sees("theme"), "the same page"


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[LiveOwner]:
    folder = tmp_path / "console"
    folder.mkdir()
    with (
        running_console(folder, "--storage-root", str(folder)) as console,
        httpx.Client(base_url=console.address) as http,
    ):
        owner = become_owner(console, http)
        add_folder(console, folder)
        yield owner


def test_a_computer_is_linked_by_a_code_and_unlinked_again(
    screen: Screen, owner: LiveOwner
) -> None:
    workplace = screen.workplace()
    person = screen.open_at(workplace)
    person.press("link")
    person.write("console address", owner.console.address)
    person.press("show code")
    person.until(lambda: person.sees("code"))
    owner.approve(person.find(QLabel, "code").text())
    person.until_read("Linked to Keller as")
    assert identity_file(workplace.environment).exists()
    person.press("link done")
    person.until(lambda: person.sees("unlink"))
    assert person.find(QCheckBox, "obeys console").isEnabled()
    person.press("unlink")
    person.until(lambda: person.sees("link"))
    assert not identity_file(workplace.environment).exists()


def test_a_code_that_is_refused_is_said_and_another_can_be_asked_for(
    screen: Screen, owner: LiveOwner
) -> None:
    person = screen.open_at(screen.workplace())
    person.press("link")
    person.write("console address", owner.console.address)
    person.press("show code")
    person.until(lambda: person.sees("code"))
    owner.refuse(person.find(QLabel, "code").text())
    person.until_read("refused this device")
    assert person.sees("show code")
