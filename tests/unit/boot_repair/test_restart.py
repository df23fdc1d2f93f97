"""The last thing that the medium does."""

from __future__ import annotations

from pathlib import Path

import pytest

from rescue_media.boot_repair.restart import RestartPlan, medium_device, restart
from tests.helpers.recorded_programs import RecordedPrograms

PROGRAMS = ("sync", "eject", "systemctl")


def test_everything_is_on_the_disks_before_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = RecordedPrograms(tmp_path, monkeypatch, PROGRAMS)
    restart(RestartPlan("", 10, ""))
    assert programs.calls() == ["sync", "systemctl reboot"]


def test_a_drive_that_stays_shut_does_not_stop_the_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = RecordedPrograms(tmp_path, monkeypatch, PROGRAMS, failing=("eject",))
    restart(RestartPlan("/dev/sr0", 10, "Take the CD out of its drive."))
    assert programs.calls()[0] == "sync"
    assert programs.calls()[1].startswith("eject")
    assert programs.calls()[-1] == "systemctl reboot"


def test_the_mediums_device_is_known_on_the_medium_alone(tmp_path: Path) -> None:
    (tmp_path / "device").write_text("sr0\n")
    assert medium_device(tmp_path / "device") == "/dev/sr0"
    assert medium_device(tmp_path / "elsewhere") == ""
