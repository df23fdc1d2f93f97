"""From an empty disk to one that starts by itself: through the window, as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from iso_builder.qemu import Firmware, TrialMachine
from iso_builder.trial import switched_on
from tests.machines.person import Person
from tests.machines.qemu import alone
from tests.machines.restoring import (
    Backup,
    backed_up,
    choose_everything,
    give_password,
    go_to_the_points,
    restore_it,
)
from tests.machines.startable_disk import STARTED, make_startable_disk

_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class NewComputer:
    """Its disk is empty; what was on the old one is in the backup."""

    medium: Path
    machine: TrialMachine
    backup: Backup

    @contextmanager
    def switched_on(self) -> Iterator[Person]:
        """Somebody has come to the page that asks for the password. At the end the power goes."""
        with switched_on(
            self.medium, self.machine, limit_seconds=_PATIENCE_SECONDS, cancel=CancelToken()
        ) as running:
            running.wait_for_terminal()
            assert running.wait_for_window() == "cage"
            person = Person(running)
            go_to_the_points(person, self.backup)
            yield person


@contextmanager
def new_computer(medium: Path, folder: Path, firmware: Firmware) -> Iterator[NewComputer]:
    """No other machine runs on this computer meanwhile."""
    disk = make_startable_disk(folder, firmware)
    target = folder / "target.img"
    with open(target, "wb") as file:
        file.truncate(disk.size)
    with backed_up(disk.image, folder) as backup, alone():
        machine = TrialMachine(firmware, disks=(target,), neighbours=(backup.port,), restarts=True)
        yield NewComputer(medium, machine, backup)


@pytest.mark.full
def test_a_disk_restored_through_the_window_starts_by_itself(medium: Path, tmp_path: Path) -> None:
    with (
        new_computer(medium, tmp_path, Firmware.UEFI) as computer,
        computer.switched_on() as person,
    ):
        give_password(person, "wrong horse")
        assert "This password does not open it." in person.until_problem()
        give_password(person)
        choose_everything(person)
        restore_it(person)
        person.until_work("restore")
        person.cut_network()
        person.until_work("Trying again")
        person.mend_network()
        # The key stays where it is: the firmware has been told what to start next.
        person.medium.listen(STARTED)


@pytest.mark.full
def test_a_disk_restored_under_bios_starts_once_the_key_is_out(
    medium: Path, tmp_path: Path
) -> None:
    with (
        new_computer(medium, tmp_path, Firmware.BIOS) as computer,
        computer.switched_on() as person,
    ):
        give_password(person)
        choose_everything(person)
        restore_it(person)
        person.until("Done")
        person.pull_key()
        person.medium.listen(STARTED)


@pytest.mark.full
def test_a_power_cut_in_the_middle_is_made_good_by_the_same_choices(
    medium: Path, tmp_path: Path
) -> None:
    with new_computer(medium, tmp_path, Firmware.UEFI) as computer:
        with computer.switched_on() as person:
            give_password(person)
            choose_everything(person)
            restore_it(person)
            person.until_partly_written()
        with computer.switched_on() as person:
            give_password(person)
            choose_everything(person)
            restore_it(person)
            person.medium.listen(STARTED)
