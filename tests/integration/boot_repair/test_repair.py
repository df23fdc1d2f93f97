"""Boot repair on real file systems: surveyed, planned, done, and then nothing is left to do."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_agent.host.select import current_host
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import FileSystemKind
from rescue_media.boot_repair.execute import Outcome, Result, Workplace, execute_repair
from rescue_media.boot_repair.plan import plan_repair
from rescue_media.boot_repair.steps import LeftOut, RepairPlan
from rescue_media.boot_repair.survey import DiskFacts, survey_disk
from tests.helpers.disk_checks import examine
from tests.helpers.disk_images import MIB, place, run_tool
from tests.helpers.fake_firmware import FakeFirmware
from tests.helpers.image_volumes import ImageVolumes
from tests.helpers.registry import driver_start
from tests.helpers.small_computer import make_small_computer
from tests.helpers.windows_disk import HIVE, LOADER, install_windows


@dataclass(frozen=True, slots=True)
class Restored:
    """A disk image with its volumes, and the firmware of the computer around it."""

    image: Path
    folders: ImageVolumes
    firmware: FakeFirmware
    variables: Path

    def survey(self) -> DiskFacts:
        return survey_disk(
            str(self.image),
            current_host(),
            self.folders,
            variables=self.variables,
            ask_firmware=self.firmware.ask,
        )

    def repair(self, plan: RepairPlan) -> list[Outcome]:
        place = Workplace(self.survey(), current_host(), self.folders, self.firmware.ask)
        return list(execute_repair(plan, place, cancel=CancelToken()))


@pytest.fixture(name="restored")
def _restored(tmp_path: Path) -> Callable[[str], Restored]:
    def make(case: str) -> Restored:
        image = make_small_computer(tmp_path, case).image
        scratch, variables = tmp_path / "scratch", tmp_path / "efivars"
        scratch.mkdir()
        variables.mkdir()
        (variables / "BootOrder").touch()
        table = examine(image).layout.table
        firmware = FakeFirmware({p.number: p.guid for p in table.partitions})
        return Restored(image, ImageVolumes(image, scratch), firmware, variables)

    return make


def _misplace(restored: Restored, number: int) -> None:
    volume = examine(restored.image).volumes[number]
    place(restored.image, volume.start + 28, struct.pack("<I", 63))


def test_a_windows_disk_is_made_to_start_and_then_nothing_is_left_to_do(
    restored: Callable[[str], Restored],
) -> None:
    computer = restored("windows-gpt")
    install_windows(computer.image, computer.folders)
    _misplace(computer, 3)
    head = computer.image.read_bytes()[:MIB]

    facts = computer.survey()
    assert facts.unseen == ()
    outcomes = computer.repair(plan_repair(facts))
    assert [outcome.words for outcome in outcomes if outcome.result is Result.FAILED] == []
    assert len([o for o in outcomes if o.result is Result.DONE]) >= 5

    with computer.folders.folder(3, FileSystemKind.NTFS) as root:
        assert driver_start(root / HIVE, "stornvme") == (0, False)
        assert not (root / "hiberfil.sys").exists()
    kind = examine(computer.image).volumes[1].file_system.kind
    with computer.folders.folder(1, kind) as root:
        assert (root / "EFI/BOOT/BOOTX64.EFI").read_bytes() == LOADER
    volume = examine(computer.image).volumes[3]
    boot = computer.image.read_bytes()[volume.start : volume.start + 512]
    assert struct.unpack_from("<I", boot, 28) == (volume.start // 512,)
    assert computer.firmware.next == computer.firmware.order[0] == "0001"
    # Boot code and partition table are as they were.
    assert computer.image.read_bytes()[:MIB] == head

    again = plan_repair(computer.survey())
    needed = [step for step in again.steps if not isinstance(step, LeftOut)]
    assert [type(step).__name__ for step in needed] == ["StartFirst"]


def test_a_registry_that_was_being_written_keeps_no_other_step_from_being_done(
    restored: Callable[[str], Restored],
) -> None:
    computer = restored("windows-gpt")
    install_windows(computer.image, computer.folders, being_written=True)
    outcomes = computer.repair(plan_repair(computer.survey()))
    left_out = {o.title: o.words for o in outcomes if o.result is Result.LEFT_OUT}
    assert any("was writing its registry" in words for words in left_out.values())
    assert computer.firmware.next == "0001"


def test_a_step_that_fails_is_told_and_the_others_are_done(
    restored: Callable[[str], Restored],
) -> None:
    computer = restored("windows-gpt")
    install_windows(computer.image, computer.folders)
    plan = plan_repair(computer.survey())
    computer.firmware.forgetful = True
    failed = [o for o in computer.repair(plan) if o.result is Result.FAILED]
    assert len(failed) == 1
    assert "did not keep the new entry" in failed[0].words


def test_a_linux_disk_names_its_file_systems_by_uuid(
    restored: Callable[[str], Restored], tmp_path: Path
) -> None:
    computer = restored("linux-gpt")
    root = examine(computer.image).volumes[2]
    fstab = tmp_path / "fstab"
    fstab.write_text("/dev/sda2 / ext4 defaults 0 1\nUUID=feed-0001 /data ext4 defaults 0 2\n")
    volume = tmp_path / "root.img"
    volume.write_bytes(computer.image.read_bytes()[root.start : root.extent.end])
    run_tool("debugfs", "-w", "-R", "mkdir etc", volume)
    run_tool("debugfs", "-w", "-R", f"write {fstab} etc/fstab", volume)
    place(computer.image, root.start, volume.read_bytes())

    plan = plan_repair(computer.survey())
    assert any("waits for UUID=feed-0001 (/data)" in warning for warning in plan.warnings)
    outcomes = computer.repair(plan)
    assert not [o for o in outcomes if o.result is Result.FAILED]
    with computer.folders.folder(2, FileSystemKind.EXT4) as folder:
        first = (folder / "etc/fstab").read_text().splitlines()[0]
        assert first == f"UUID={root.file_system.serial} / ext4 defaults 0 1"
        assert (folder / "etc/fstab.before-restore").read_text() == fstab.read_text()


def test_a_computer_started_by_bios_leaves_the_list_out(
    restored: Callable[[str], Restored],
) -> None:
    computer = restored("windows-gpt")
    install_windows(computer.image, computer.folders)
    shutil.rmtree(computer.variables)
    outcomes = computer.repair(plan_repair(computer.survey()))
    assert outcomes[-1].result is Result.LEFT_OUT
    assert "BIOS" in outcomes[-1].words
    assert computer.firmware.next == ""
