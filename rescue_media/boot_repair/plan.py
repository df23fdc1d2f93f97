"""From facts to a plan: pure, so that it can be shown, saved, and tested without a disk."""

from __future__ import annotations

from collections.abc import Iterator

from backup_agent.model.disk import FileSystemKind, TableKind
from rescue_media.boot_repair.linux import missing_uuids, names_to_replace, unknown_to_grub
from rescue_media.boot_repair.steps import (
    Action,
    ClearHibernation,
    CopyToFallback,
    CreateFirmwareEntry,
    EnableDrivers,
    LeftOut,
    NameByUuid,
    PatchHiddenSectors,
    RepairPlan,
    StartFirst,
)
from rescue_media.boot_repair.survey import DiskFacts, Linux, Windows

_FALLBACK = "EFI/BOOT"
_FALLBACK_LOADER = "BOOTX64.EFI"


def plan_repair(facts: DiskFacts, *, for_this_computer: bool = True) -> RepairPlan:
    """``for_this_computer``: the disk stays here; else the firmware's list is left alone."""
    steps = [
        *_hidden_sectors(facts),
        *(step for windows in facts.windows for step in _windows(windows)),
        *(step for linux in facts.linux for step in _linux(linux, facts)),
        *_efi(facts, for_this_computer=for_this_computer),
    ]
    return RepairPlan(facts.disk, tuple(steps), tuple(_warnings(facts)))


def _hidden_sectors(facts: DiskFacts) -> Iterator[Action | LeftOut]:
    if facts.misplaced:
        yield from (PatchHiddenSectors(number) for number in facts.misplaced)
    else:
        yield LeftOut("Boot sectors", "They say already where their volumes lie.")


def _windows(windows: Windows) -> Iterator[Action | LeftOut]:
    number = windows.volume
    if windows.hibernated:
        yield ClearHibernation(number)
    else:
        yield LeftOut(f"Hibernation on volume {number}", "No session is kept there.")
    what = f"Windows' storage drivers on volume {number}"
    if windows.drivers is None:
        yield LeftOut(what, windows.problem)
    elif windows.drivers.changes:
        yield EnableDrivers(number, windows.drivers.control_set, windows.drivers.changes)
    else:
        yield LeftOut(what, "All that are installed are loaded at its start already.")


def _linux(linux: Linux, facts: DiskFacts) -> Iterator[Action | LeftOut]:
    if not linux.fstab:
        return
    if names := names_to_replace(linux.fstab, facts.volumes):
        yield NameByUuid(linux.volume, names)
    else:
        yield LeftOut(
            f"File systems' names on volume {linux.volume}", "None goes by a name that changed."
        )


def _efi(facts: DiskFacts, *, for_this_computer: bool) -> Iterator[Action | LeftOut]:
    fallback, entry = "Loader where any firmware looks", "The firmware's list"
    efi = facts.efi
    if efi is None or not efi.loaders:
        reason = (
            "The disk has no EFI partition." if efi is None else "Its EFI partition has no loader."
        )
        yield LeftOut(fallback, reason)
        yield LeftOut(entry, reason)
        return
    loader = efi.loaders[0]
    if efi.has_fallback:
        yield LeftOut(fallback, "There is one already.")
    else:
        first, *others = loader.files
        copies = [(f"{loader.folder}/{first}", f"{_FALLBACK}/{_FALLBACK_LOADER}")]
        copies += [(f"{loader.folder}/{name}", f"{_FALLBACK}/{name}") for name in others]
        yield CopyToFallback(efi.volume, tuple(copies))
    if not for_this_computer:
        yield LeftOut(entry, "The disk is for another computer.")
    elif facts.firmware is None:
        yield LeftOut(entry, facts.no_firmware_list)
    elif not efi.guid:
        yield LeftOut(entry, "It names partitions by GUID, which an MBR disk has not.")
    elif known := facts.firmware.find(efi.guid, loader.for_firmware):
        yield StartFirst(known.number)
    else:
        yield CreateFirmwareEntry(efi.volume, loader.for_firmware, loader.label)


def _warnings(facts: DiskFacts) -> Iterator[str]:
    yield from facts.unseen
    for volume in facts.volumes:
        if volume.file_system.kind is FileSystemKind.BITLOCKER:
            yield (
                f"Volume {volume.number} is encrypted by BitLocker. On another computer it asks "
                "for its recovery key at the first start: have it at hand."
            )
    for linux in facts.linux:
        for entry in missing_uuids(linux.fstab, facts.volumes):
            yield (
                f"The Linux on volume {linux.volume} waits for {entry.device} ({entry.folder}), "
                "which is not on this disk."
            )
        for uuid in unknown_to_grub(linux.grub, facts.volumes):
            yield f"GRUB's menu on volume {linux.volume} looks for {uuid}, not on this disk."
    starts_by_bios = facts.no_firmware_list and facts.firmware is None
    if facts.efi is not None and facts.layout.table.kind is TableKind.GPT and starts_by_bios:
        yield (
            "This disk starts by UEFI, but this computer was started by BIOS: "
            "choose UEFI in its firmware settings."
        )
    if facts.efi is None and facts.firmware is not None:
        yield (
            "This disk starts by BIOS, but this computer was started by UEFI: "
            "choose Legacy or CSM in its firmware settings, if it has that."
        )
