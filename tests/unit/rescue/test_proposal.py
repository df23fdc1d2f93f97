"""What is proposed as a destination, on computers of many shapes; no disk is needed for it."""

from __future__ import annotations

import pytest

from rescue_media.errands.destinations import disks_found, partition_path
from rescue_media.flow.proposal import propose, why_not
from rescue_media.flow.selection import everything, rows_of, ticked
from rescue_media.flow.values import Destination, Row
from tests.rescue.captured import NAMES, disks_of, stored

GB = 10**9


def destinations(machine: str) -> tuple[Destination, ...]:
    return disks_found(disks_of(machine)).destinations


def row(size: int, needed: int = 1, serial: str = "") -> Row:
    return Row("disk0", "Disk 0", size, needed, is_disk=True, serial=serial)


@pytest.mark.parametrize("machine", NAMES)
def test_every_disk_that_comes_home_is_proposed_its_own_drive(machine: str) -> None:
    views = [view for view in disks_of(machine) if not view.restore_refused]
    contents = [stored(view, number) for number, view in enumerate(views)]
    rows = rows_of(contents, everything(contents))
    proposed = propose(rows, destinations(machine))
    found = [one.proposal.serial for one in proposed if one.proposal]
    assert found == [view.disk.serial for view in views]


@pytest.mark.parametrize("machine", NAMES)
def test_no_disk_is_proposed_twice_nor_one_in_use(machine: str) -> None:
    rows = tuple(
        Row(f"disk{n}", f"Disk {n}", 100 * GB, 1, is_disk=True, serial="") for n in range(40)
    )
    paths = [one.proposal.path for one in propose(rows, destinations(machine)) if one.proposal]
    in_use = {view.disk.path for view in disks_of(machine) if view.restore_refused}
    assert len(paths) == len(set(paths))
    assert not set(paths) & in_use


def test_the_smallest_disk_that_is_large_enough_comes_before_larger_ones() -> None:
    (one,) = propose((row(500 * GB),), destinations("office-nvme"))
    assert one.proposal is not None
    assert one.proposal.path == "/dev/nvme0n1"


def test_a_smaller_disk_is_proposed_only_if_the_data_have_room() -> None:
    disks = destinations("workstation-4kn")
    (fits,) = propose((row(9000 * GB, needed=300 * GB),), disks)
    (does_not,) = propose((row(9000 * GB, needed=8500 * GB),), disks)
    assert fits.proposal is not None
    assert fits.proposal.path == "/dev/sda"
    assert does_not.proposal is None


def test_the_boot_medium_and_the_disk_with_the_repository_say_why_they_cannot_be_chosen() -> None:
    for machine, path, where in (
        ("office-nvme", "/dev/sdb", "/run/everboot/medium"),
        ("server-raid-lvm", "/dev/sdc", "/mnt/repository"),
    ):
        disk = next(d for d in destinations(machine) if d.path == path)
        assert where in why_not(row(1), disk)


def test_disks_do_not_go_onto_partitions_and_volumes_not_onto_disks() -> None:
    disk, partition, *_ = destinations("office-nvme")
    volume = Row("disk0/volume1", "EFI", 260_000_000, 1, is_disk=False)
    assert not why_not(row(1), disk)
    assert "partition" in why_not(row(1), partition)
    assert "partition" in why_not(volume, disk)


def test_partitions_are_called_as_linux_does() -> None:
    assert partition_path("/dev/sda", 2) == "/dev/sda2"
    assert partition_path("/dev/nvme0n1", 2) == "/dev/nvme0n1p2"


def test_a_disk_without_one_of_its_volumes_is_restored_volume_by_volume() -> None:
    contents = [stored(disks_of("office-nvme")[0])]
    without = ticked(contents, everything(contents), "disk0/volume4", on=False)
    assert [one.source for one in rows_of(contents, without)] == [
        "disk0/volume1",
        "disk0/volume2",
        "disk0/volume3",
    ]
    again = ticked(contents, without, "disk0/volume4", on=True)
    assert [one.source for one in rows_of(contents, again)] == ["disk0"]
    assert rows_of(contents, ticked(contents, again, "disk0", on=False)) == ()
