"""A disk like Windows': what boot repair looks at, with stand-ins for what Windows runs."""

from __future__ import annotations

import shutil
from pathlib import Path

from backup_agent.model.disk import FileSystemKind
from tests.helpers.disk_checks import examine
from tests.helpers.image_volumes import ImageVolumes
from tests.helpers.registry import leave_being_written, make_system_hive

LOADER = b"MZ stands in for a loader"
HIVE = "Windows/System32/config/SYSTEM"
SYSTEM_VOLUME, EFI_VOLUME = 3, 1


def install_windows(image: Path, folders: ImageVolumes, *, being_written: bool = False) -> None:
    """Onto the small computer ``windows-gpt``: asleep, and with NVMe not loaded at its start."""
    with folders.folder(SYSTEM_VOLUME, FileSystemKind.NTFS, writable=True) as root:
        hive = make_system_hive(
            root.parent / "SYSTEM", {"storahci": 0, "stornvme": 3}, overridden=("stornvme",)
        )
        if being_written:
            leave_being_written(hive)
        (root / HIVE).parent.mkdir(parents=True)
        shutil.copyfile(hive, root / HIVE)
        drivers = root / "Windows/System32/drivers"
        drivers.mkdir()
        for name in ("storahci.sys", "StorNVMe.sys"):
            (drivers / name).write_bytes(LOADER)
        (root / "hiberfil.sys").write_bytes(b"HIBR" + bytes(8192))
    kind = examine(image).volumes[EFI_VOLUME].file_system.kind
    with folders.folder(EFI_VOLUME, kind, writable=True) as root:
        (root / "EFI/Microsoft/Boot").mkdir(parents=True)
        (root / "EFI/Microsoft/Boot/bootmgfw.efi").write_bytes(LOADER)
