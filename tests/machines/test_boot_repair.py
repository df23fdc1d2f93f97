"""Boot repair on the medium itself: a kernel's mounts, and a firmware that keeps a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import FileSystemKind
from iso_builder.qemu import TrialMachine
from iso_builder.trial import try_out
from tests.helpers.disk_checks import examine
from tests.helpers.image_volumes import ImageVolumes
from tests.helpers.registry import driver_start
from tests.helpers.small_computer import make_small_computer
from tests.helpers.windows_disk import (
    EFI_VOLUME,
    HIVE,
    LOADER,
    SYSTEM_VOLUME,
    install_windows,
)
from tests.machines.qemu import alone

pytestmark = pytest.mark.full

_BOOT_SECONDS = 600.0
_REPAIR = "python3 -m rescue_media.boot_repair /dev/vda"


def test_a_windows_disk_is_made_to_start_by_a_real_firmware(medium: Path, tmp_path: Path) -> None:
    image = make_small_computer(tmp_path, "windows-gpt").image
    folders = ImageVolumes(image, tmp_path)
    install_windows(image, folders)

    with alone():
        planned, done, listed, again = try_out(
            medium,
            TrialMachine(disks=(image,)),
            commands=(f"{_REPAIR} --dry-run", _REPAIR, "efibootmgr", _REPAIR),
            limit_seconds=_BOOT_SECONDS,
            cancel=CancelToken(),
        ).answers

    assert "load drivers at its start: stornvme" in planned
    assert "Failed" not in done + again
    assert "Done: Enter 'Windows Boot Manager' into the firmware's list" in done
    number = _number_of(listed, "Windows Boot Manager")
    assert f"BootNext: {number}" in listed
    assert f"BootOrder: {number}," in listed
    assert again.count("Done:") == 1
    assert f"Done: Make the firmware's entry {number} the first" in again
    with folders.folder(SYSTEM_VOLUME, FileSystemKind.NTFS) as root:
        assert driver_start(root / HIVE, "stornvme") == (0, False)
        assert not (root / "hiberfil.sys").exists()
    kind = examine(image).volumes[EFI_VOLUME].file_system.kind
    with folders.folder(EFI_VOLUME, kind) as root:
        assert (root / "EFI/BOOT/BOOTX64.EFI").read_bytes() == LOADER


def _number_of(listed: str, label: str) -> str:
    line = next(line for line in listed.splitlines() if label in line)
    return line.removeprefix("Boot")[:4]
