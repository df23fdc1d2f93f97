"""Which steps a restored disk needs, decided from facts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backup_agent.model.disk import (
    DiskLayout,
    FileSystem,
    FileSystemKind,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.model.machine import Firmware
from rescue_media.boot_repair.efi import FirmwareEntry, FirmwareList
from rescue_media.boot_repair.hive import DriverChange, DriverSurvey
from rescue_media.boot_repair.plan import plan_repair
from rescue_media.boot_repair.restart import countdown, plan_restart
from rescue_media.boot_repair.steps import (
    ClearHibernation,
    CopyToFallback,
    CreateFirmwareEntry,
    EnableDrivers,
    LeftOut,
    PatchHiddenSectors,
    StartFirst,
)
from rescue_media.boot_repair.survey import DiskFacts, EfiPartition, Loader, Windows

GUID = "4D8B9E7A-1111-2222-3333-444455556666"
LOADER = Loader("Windows Boot Manager", "EFI/Microsoft/Boot", ("bootmgfw.efi",))
CHANGE = DriverChange("stornvme", 3, overridden=True)
FACTS = DiskFacts(
    disk="/dev/nvme0n1",
    layout=DiskLayout(1 << 30, PartitionTable(TableKind.GPT, 512), ()),
    volumes=(Volume(3, 1 << 20, 1 << 29, FileSystem(FileSystemKind.NTFS)),),
    misplaced=(3,),
    efi=EfiPartition(1, GUID, (LOADER,), has_fallback=False),
    windows=(Windows(3, hibernated=True, drivers=DriverSurvey("ControlSet001", (CHANGE,))),),
    linux=(),
    firmware=FirmwareList((), ()),
    no_firmware_list="",
    unseen=(),
)


def test_everything_that_is_needed_is_planned_in_its_order() -> None:
    assert plan_repair(FACTS).steps == (
        PatchHiddenSectors(3),
        ClearHibernation(3),
        EnableDrivers(3, "ControlSet001", (CHANGE,)),
        CopyToFallback(1, (("EFI/Microsoft/Boot/bootmgfw.efi", "EFI/BOOT/BOOTX64.EFI"),)),
        CreateFirmwareEntry(1, r"\EFI\Microsoft\Boot\bootmgfw.efi", "Windows Boot Manager"),
    )


def test_what_is_right_already_is_left_out_with_a_reason() -> None:
    done = replace(
        FACTS,
        misplaced=(),
        efi=EfiPartition(1, GUID, (LOADER,), has_fallback=True),
        windows=(Windows(3, hibernated=False, drivers=DriverSurvey("ControlSet001", ())),),
    )
    steps = plan_repair(done, for_this_computer=False).steps
    assert all(isinstance(step, LeftOut) and step.reason for step in steps)
    assert len(steps) == 5


def test_an_entry_that_is_there_is_not_made_twice() -> None:
    entry = FirmwareEntry("0007", "Windows", GUID, r"\EFI\MICROSOFT\BOOT\BOOTMGFW.EFI")
    steps = plan_repair(replace(FACTS, firmware=FirmwareList((entry,), ("0007",)))).steps
    assert steps[-1] == StartFirst("0007")


def test_without_a_list_the_step_says_so_and_the_person_is_warned() -> None:
    reason = "This computer was started by BIOS, which keeps no list."
    plan = plan_repair(replace(FACTS, firmware=None, no_firmware_list=reason))
    assert plan.steps[-1] == LeftOut("The firmware's list", reason)
    assert any("choose UEFI" in warning for warning in plan.warnings)


def test_bitlocker_is_warned_about() -> None:
    locked = Volume(4, 1 << 29, 1 << 20, FileSystem(FileSystemKind.BITLOCKER))
    plan = plan_repair(replace(FACTS, volumes=(*FACTS.volumes, locked)))
    assert any("recovery key" in line for line in plan.lines())


def test_shim_takes_what_it_looks_for_along() -> None:
    debian = Loader("debian", "EFI/debian", ("shimx64.efi", "grubx64.efi", "mmx64.efi"))
    efi = EfiPartition(1, GUID, (debian, LOADER), has_fallback=False)
    copies = plan_repair(replace(FACTS, efi=efi)).steps[3]
    assert isinstance(copies, CopyToFallback)
    assert [target for _, target in copies.copies] == [
        "EFI/BOOT/BOOTX64.EFI",
        "EFI/BOOT/grubx64.efi",
        "EFI/BOOT/mmx64.efi",
    ]


@pytest.mark.parametrize(
    ("firmware", "medium", "listed", "asked"),
    [
        (Firmware.UEFI, "/dev/sdb", True, ""),
        (Firmware.UEFI, "/dev/sdb", False, "Pull the USB key out"),
        (Firmware.BIOS, "/dev/sdb", False, "Pull the USB key out"),
        (Firmware.BIOS, "/dev/sr0", False, "Take the CD out"),
    ],
)
def test_a_person_is_asked_only_for_what_the_computer_cannot_do(
    firmware: Firmware, medium: str, listed: bool, asked: str
) -> None:
    plan = plan_restart(firmware, medium, starts_by_list=listed)
    words = list(countdown(plan))
    assert len(words) == plan.seconds
    assert words[0].startswith(asked or "Restart in")
    assert words[-1].endswith("Restart in 1 second.")
