"""Windows' registry, offline: which drivers it loads at its start."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.errors import TargetError
from rescue_media.boot_repair.hive import (
    STORAGE_DRIVERS,
    DriverChange,
    enable_drivers,
    survey_drivers,
)
from tests.helpers.registry import driver_start, leave_being_written, make_system_hive

DRIVERS = {"storahci": 3, "stornvme": 0, "viostor": 0, "disk": 3}


@pytest.fixture(name="hive")
def _hive(tmp_path: Path) -> Path:
    return make_system_hive(tmp_path / "SYSTEM", DRIVERS, overridden=("stornvme",))


def test_drivers_that_are_not_loaded_or_overridden_are_to_be_changed(hive: Path) -> None:
    survey = survey_drivers(hive, set(STORAGE_DRIVERS))
    assert survey.control_set == "ControlSet001"
    assert survey.changes == (
        DriverChange("storahci", 3, overridden=False),
        DriverChange("stornvme", 0, overridden=True),
    )


def test_a_driver_without_its_file_is_left_alone(hive: Path) -> None:
    assert [c.driver for c in survey_drivers(hive, {"stornvme"}).changes] == ["stornvme"]


def test_enabled_drivers_start_at_boot_and_nothing_else_changes(hive: Path) -> None:
    before = hive.read_bytes()
    survey = survey_drivers(hive, set(STORAGE_DRIVERS))
    enable_drivers(hive, survey.control_set, survey.changes)
    assert driver_start(hive, "storahci") == (0, False)
    assert driver_start(hive, "stornvme") == (0, False)
    assert driver_start(hive, "disk") == (3, False)
    assert survey_drivers(hive, set(STORAGE_DRIVERS)).changes == ()
    assert hive.with_name("SYSTEM.before-restore").read_bytes() == before
    assert sorted(file.name for file in hive.parent.iterdir()) == [
        "SYSTEM",
        "SYSTEM.before-restore",
    ]


def test_a_registry_that_was_being_written_is_refused(hive: Path) -> None:
    leave_being_written(hive)
    with pytest.raises(TargetError, match="was writing its registry"):
        survey_drivers(hive, set(STORAGE_DRIVERS))


@pytest.mark.parametrize("content", [b"", b"regf", b"MZ" * 4096, b"regf" + bytes(5000)])
def test_what_is_no_registry_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "SYSTEM"
    file.write_bytes(content)
    with pytest.raises(TargetError):
        survey_drivers(file, set(STORAGE_DRIVERS))
