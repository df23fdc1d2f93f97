"""What "the whole computer" means, and what a person is told of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backup_agent.errors import SourceError
from backup_agent.model.disk import Disk
from backup_agent.services.machine_disks import choose_disks, holds
from tests.helpers.fake_host import FakeHost

FIXED = Disk(path="/dev/sda", identity="/dev/sda", size=1 << 30, sector_size=512)
OTHER = replace(FIXED, path="/dev/sdb", identity="/dev/sdb")


class Computer(FakeHost):
    def __init__(self, *disks: Disk, mounted: dict[str, list[str]] | None = None) -> None:
        super().__init__(mounted=mounted)
        self._disks = list(disks)

    def disks(self) -> list[Disk]:
        return self._disks


def test_every_fixed_disk_is_taken_and_nothing_is_said() -> None:
    chosen = choose_disks(Computer(FIXED, OTHER), repository=None)
    assert (chosen.paths, chosen.remarks) == (("/dev/sda", "/dev/sdb"), ())


@pytest.mark.parametrize("stick", [replace(OTHER, removable=True), replace(OTHER, transport="usb")])
def test_removable_disk_is_passed_over_and_named(stick: Disk) -> None:
    chosen = choose_disks(Computer(FIXED, stick), repository=None)
    assert chosen.paths == ("/dev/sda",)
    assert chosen.remarks == ("/dev/sdb is not backed up: it is removable.",)


def test_disk_that_holds_the_repository_is_passed_over_and_named(tmp_path: Path) -> None:
    mount = tmp_path
    while not mount.is_mount():
        mount = mount.parent
    computer = Computer(FIXED, OTHER, mounted={"/dev/sdb": [str(mount)]})
    chosen = choose_disks(computer, repository=tmp_path / "not" / "there" / "yet")
    assert chosen.paths == ("/dev/sda",)
    assert chosen.remarks == ("/dev/sdb is not backed up: it holds the repository itself.",)
    assert not holds(computer, "/dev/sda", tmp_path)


def test_read_only_disk_is_taken_and_named() -> None:
    chosen = choose_disks(Computer(replace(FIXED, read_only=True)), repository=None)
    assert chosen.paths == ("/dev/sda",)
    assert "read-only" in chosen.remarks[0]


def test_computer_without_a_fixed_disk_says_why_each_other_is_not_taken() -> None:
    with pytest.raises(SourceError, match=r"no fixed disk.*/dev/sdb is not backed up"):
        choose_disks(Computer(replace(OTHER, removable=True)), repository=None)
