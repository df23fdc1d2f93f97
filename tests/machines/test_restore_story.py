"""From an empty disk to one that starts by itself: through the window, as a person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from iso_builder.qemu import Firmware, TrialMachine
from iso_builder.trial import switched_on
from tests.machines.person import Person
from tests.machines.qemu import alone
from tests.machines.restoring import (
    backed_up,
    choose_everything,
    give_password,
    go_to_the_points,
    restore_it,
)
from tests.machines.startable_disk import STARTED, make_startable_disk

pytestmark = pytest.mark.full

_BOOT_SECONDS = 900.0


def test_a_disk_restored_through_the_window_starts_by_itself(medium: Path, tmp_path: Path) -> None:
    disk = make_startable_disk(tmp_path, Firmware.UEFI)
    target = tmp_path / "target.img"
    with open(target, "wb") as file:
        file.truncate(disk.size)
    with backed_up(disk.image, tmp_path) as backup, alone():
        machine = TrialMachine(disks=(target,), neighbours=(backup.port,), restarts=True)
        with switched_on(
            medium, machine, limit_seconds=_BOOT_SECONDS, cancel=CancelToken()
        ) as running:
            running.wait_for_terminal()
            assert running.wait_for_window() == "cage"
            person = Person(running)
            go_to_the_points(person, backup)
            give_password(person)
            choose_everything(person)
            restore_it(person)
            # The medium stays where it is: the firmware has been told what to start next.
            running.listen(STARTED)
