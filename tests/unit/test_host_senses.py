"""What Linux tells of power, networks, people, zones and disks, out of a tree made for the test."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError
from backup_agent.host.linux.senses import LinuxSenses
from backup_agent.host.plain_senses import PlainSenses


def no_bus(_arguments: Sequence[str]) -> str:
    raise CommandFailedError("There is no bus.")


def supply(root: Path, name: str, **values: str) -> None:
    folder = root / "sys/class/power_supply" / name
    folder.mkdir(parents=True)
    for key, value in values.items():
        (folder / key).write_text(value + "\n")


def senses(root: Path, *, bus: Mapping[str, str] | None = None, tz: str = "") -> LinuxSenses:
    def ask(arguments: Sequence[str]) -> str:
        return "\n".join((bus or {})[name] for name in arguments[3:])

    return LinuxSenses(root=root, ask=ask if bus else no_bus, environment={"TZ": tz})


def test_a_laptop_off_its_mains_runs_on_battery(tmp_path: Path) -> None:
    supply(tmp_path, "AC", type="Mains", online="0")
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    assert senses(tmp_path).on_battery() is True

    (tmp_path / "sys/class/power_supply/AC/online").write_text("1\n")
    (tmp_path / "sys/class/power_supply/BAT0/status").write_text("Charging\n")
    assert senses(tmp_path).on_battery() is False


def test_the_battery_of_a_mouse_is_not_the_computers(tmp_path: Path) -> None:
    supply(tmp_path, "hid-mouse", type="Battery", status="Discharging", scope="Device")

    assert senses(tmp_path).on_battery() is None


@pytest.mark.parametrize(
    ("answer", "metered"),
    [("u 1", True), ("u 2", False), ("u 3", True), ("u 4", False), ("u 0", None)],
)
def test_networkmanager_says_whether_the_network_is_metered(
    tmp_path: Path, answer: str, metered: bool | None
) -> None:
    assert senses(tmp_path, bus={"Metered": answer}).metered() is metered


def test_logind_says_whether_somebody_works(tmp_path: Path) -> None:
    busy = {"IdleHint": "b false", "IdleSinceHintMonotonic": "t 0"}
    idle = {"IdleHint": "b true", "IdleSinceHintMonotonic": "t 0"}

    assert senses(tmp_path, bus=busy).idle_seconds() == 0
    assert (senses(tmp_path, bus=idle).idle_seconds() or 0) > 0


def test_without_a_bus_nobody_can_tell(tmp_path: Path) -> None:
    told = senses(tmp_path)

    assert (told.metered(), told.idle_seconds(), told.on_battery()) == (None, None, None)


def test_the_zone_is_that_of_the_system_unless_tz_names_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/localtime").write_bytes(Path("/usr/share/zoneinfo/Asia/Kolkata").read_bytes())
    moment = datetime(2030, 1, 1, tzinfo=UTC)

    assert moment.astimezone(senses(tmp_path).zone()).utcoffset() == timedelta(hours=5.5)
    named = senses(tmp_path, tz=":Europe/Zurich").zone()
    assert moment.astimezone(named).utcoffset() == timedelta(hours=1)


@pytest.fixture
def usb_disk(tmp_path: Path) -> Path:
    """A computer with a disk at /media/me/Blue T7, as udev and the kernel show it."""
    (tmp_path / "dev/disk/by-uuid").mkdir(parents=True)
    (tmp_path / "dev/disk/by-label").mkdir(parents=True)
    (tmp_path / "dev/sdb1").touch()
    (tmp_path / "dev/disk/by-uuid/1234-ABCD").symlink_to("../../sdb1")
    (tmp_path / r"dev/disk/by-label/Blue\x20T7").symlink_to("../../sdb1")
    (tmp_path / "media/me/Blue T7/everboot").mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "40 22 8:17 /sub /srv/bind rw - vfat /dev/sdb1 rw\n"
        "41 22 8:17 / /media/me/Blue\\040T7 rw - vfat /dev/sdb1 rw\n"
    )
    return tmp_path


def test_a_disk_is_found_by_its_id_wherever_it_is_mounted(usb_disk: Path) -> None:
    assert senses(usb_disk).mounted_at("1234-ABCD") == usb_disk / "media/me/Blue T7"

    (usb_disk / "proc/self/mountinfo").write_text(
        "41 22 8:33 / /mnt/elsewhere rw - vfat /dev/sdb1 rw\n"
    )
    assert senses(usb_disk).mounted_at("1234-ABCD") == usb_disk / "mnt/elsewhere"


@pytest.mark.parametrize("missing", ["", "0000-0000", "../../sda1", ".."])
def test_a_disk_that_is_not_there_is_nowhere(usb_disk: Path, missing: str) -> None:
    assert senses(usb_disk).mounted_at(missing) is None


def test_a_folder_tells_which_disk_it_lies_on(usb_disk: Path) -> None:
    found = senses(usb_disk).file_system_of(usb_disk / "media/me/Blue T7/everboot")

    assert found is not None
    assert (found.id, found.label) == ("1234-ABCD", "Blue T7")
    assert found.place == usb_disk / "media/me/Blue T7"
    assert senses(usb_disk).file_system_of(usb_disk / "home") is None


@pytest.mark.parametrize("month", [1, 7])
def test_a_system_without_senses_knows_its_zone_all_the_same(
    month: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Zurich")
    time.tzset()
    try:
        zone = PlainSenses().zone()
        moment = datetime(2030, month, 1, 12, tzinfo=UTC)
        assert moment.astimezone(zone).utcoffset() == timedelta(hours=1 if month == 1 else 2)
        assert moment.astimezone(zone).astimezone(UTC) == moment
        assert datetime(2030, month, 1, 12, tzinfo=zone).astimezone(UTC).hour == 12 - month // 7 - 1
    finally:
        monkeypatch.undo()
        time.tzset()
