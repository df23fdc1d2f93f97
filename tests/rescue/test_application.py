"""Starting: the scale of the screen, what the medium carries, and a computer without Qt."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import pytest

from backup_agent.errors import UnsupportedError
from backup_agent.format.media_slot import encode_slot
from backup_agent.model.media import MediaSettings
from rescue_media import rescue_command
from rescue_media.rescue_command import surroundings
from rescue_media.ui.application import screen_scale


@pytest.mark.parametrize(
    ("modes", "scale"),
    [("1024x768\n800x600\n", 1.0), ("1920x1080\n", 1.25), ("3840x2160\n", 2.5), ("", 1.0)],
)
def test_large_screens_are_drawn_larger_and_small_ones_as_designed(
    tmp_path: Path, modes: str, scale: float
) -> None:
    (tmp_path / "card0-HDMI-A-1").mkdir()
    (tmp_path / "card0-HDMI-A-1" / "modes").write_text(modes)
    (tmp_path / "card0-DP-1").mkdir()
    (tmp_path / "card0-DP-1" / "modes").write_text("")
    assert screen_scale(tmp_path) == scale


def test_the_slot_of_the_medium_fills_in_the_console_and_a_damaged_one_nothing(
    tmp_path: Path,
) -> None:
    carried = MediaSettings("https://console.example", "AA11-BB22-CC33")
    slot = tmp_path / "settings"
    slot.write_bytes(encode_slot(carried))
    assert surroundings(slot).media == carried
    slot.write_bytes(b"damaged")
    assert surroundings(slot).media == MediaSettings()
    assert surroundings(tmp_path / "absent").media == MediaSettings()


class CommandSession:
    def __init__(self) -> None:
        self.environment: dict[str, str] = {}


def test_the_layout_of_the_keyboard_is_named_as_people_know_it(tmp_path: Path) -> None:
    assert [surroundings(tmp_path, layout=name).keyboard for name in ("us", "fr", "")] == [
        "EN-US",
        "FR",
        "",
    ]


def test_without_qt_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue_command, "find_spec", lambda _name: None)
    assert importlib.util.find_spec("PySide6") is not None
    parser = argparse.ArgumentParser()
    rescue_command.add_arguments(parser)
    with pytest.raises(UnsupportedError) as refused:
        rescue_command.run(parser.parse_args([]), CommandSession())
    assert "everboot[gui]" in refused.value.hint
