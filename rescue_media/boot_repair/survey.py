"""Looking at a restored disk: facts only, nothing is decided or written here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import EverbootError
from backup_agent.filesystems.boot_sector import hidden_sector_patches
from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.host.api import Host
from backup_agent.model.disk import DiskLayout, FileSystemKind, TableKind, Volume
from rescue_media.boot_repair.efi import (
    VARIABLES,
    FirmwareList,
    RunEfibootmgr,
    efibootmgr,
    parse_firmware_list,
    why_no_firmware_list,
)
from rescue_media.boot_repair.folders import VolumeFolders, find_below
from rescue_media.boot_repair.hive import STORAGE_DRIVERS, DriverSurvey, survey_drivers

EFI_PARTITION = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
_MBR_EFI_PARTITION = "ef"
_EXT = {FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4}
_SECTOR = 512
# Where a system's installer puts its loader; the first found is started.
_NOT_SYSTEMS = {"boot", "microsoft"}
_SHIM, _GRUB, _KEYS = "shimx64.efi", "grubx64.efi", "mmx64.efi"
_WINDOWS_LOADER = ("EFI", "Microsoft", "Boot", "bootmgfw.efi")


@dataclass(frozen=True, slots=True)
class Loader:
    """A system's loader on an EFI partition: folder and files below it, as they are written."""

    label: str
    folder: str
    files: tuple[str, ...]
    """The first is what the firmware starts; the others are looked for beside it."""

    @property
    def for_firmware(self) -> str:
        return "\\" + "\\".join((*self.folder.split("/"), self.files[0]))


@dataclass(frozen=True, slots=True)
class EfiPartition:
    volume: int
    guid: str
    loaders: tuple[Loader, ...]
    has_fallback: bool


@dataclass(frozen=True, slots=True)
class Windows:
    """``problem``: why its registry is not to be edited; ``drivers`` is ``None`` then."""

    volume: int
    hibernated: bool
    drivers: DriverSurvey | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Linux:
    """``fstab`` and ``grub`` (grub.cfg) are the files' texts; empty where there is none."""

    volume: int
    fstab: str
    grub: str


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """``misplaced`` are volumes whose boot sector says another place than theirs.

    ``unseen`` tells of volumes that could not be looked into. ``no_firmware_list``
    is empty where ``firmware`` is known.
    """

    disk: str
    layout: DiskLayout
    volumes: tuple[Volume, ...]
    misplaced: tuple[int, ...]
    efi: EfiPartition | None
    windows: tuple[Windows, ...]
    linux: tuple[Linux, ...]
    firmware: FirmwareList | None
    no_firmware_list: str
    unseen: tuple[str, ...]


def survey_disk(
    path: str,
    host: Host,
    folders: VolumeFolders,
    *,
    variables: Path = VARIABLES,
    ask_firmware: RunEfibootmgr = efibootmgr,
) -> DiskFacts:
    """``variables``: where the firmware's are shown, if they are.

    Raises :class:`~backup_agent.errors.SourceError`, ``HostError``.
    """
    disk = host.disk(path)
    with host.open_disk(disk) as file:
        layout = read_layout(file, disk, sector_size=disk.sector_size)
        volumes = read_volumes(file, layout)
        misplaced = tuple(v.number for v in volumes if _is_misplaced(file, v))
    efi: EfiPartition | None = None
    windows: list[Windows] = []
    linux: list[Linux] = []
    unseen: list[str] = []
    for volume in volumes:
        try:
            match volume.file_system.kind:
                case FileSystemKind.NTFS:
                    windows.extend(_look_for_windows(volume, folders))
                case kind if kind in _EXT:
                    linux.extend(_look_for_linux(volume, folders))
                case _ if efi is None and _is_efi(volume.number, layout):
                    efi = _look_at_efi(volume, layout, folders)
                case _:
                    pass
        except (EverbootError, OSError) as exc:
            unseen.append(f"Volume {volume.number} could not be looked into: {exc}")
    reason = why_no_firmware_list(variables)
    firmware = None if reason else parse_firmware_list(ask_firmware("-v"))
    return DiskFacts(
        disk=path,
        layout=layout,
        volumes=volumes,
        misplaced=misplaced,
        efi=efi,
        windows=tuple(windows),
        linux=tuple(linux),
        firmware=firmware,
        no_firmware_list=reason,
        unseen=tuple(unseen),
    )


def _is_misplaced(file: io.RawIOBase, volume: Volume) -> bool:
    file.seek(volume.start)
    boot = file.read(_SECTOR) or b""
    kind, place = volume.file_system.kind, volume.extent
    patches = hidden_sector_patches(kind, boot, place, copy_is_there=False)
    return any(patch.over(boot, 0) != boot for patch in patches)


def _is_efi(number: int, layout: DiskLayout) -> bool:
    wanted = EFI_PARTITION if layout.table.kind is TableKind.GPT else _MBR_EFI_PARTITION
    return any(p.number == number and p.type == wanted for p in layout.table.partitions)


def _look_for_windows(volume: Volume, folders: VolumeFolders) -> Iterator[Windows]:
    with folders.folder(volume.number, FileSystemKind.NTFS) as root:
        hive = find_below(root, "Windows", "System32", "config", "SYSTEM")
        hibernated = find_below(root, "hiberfil.sys") is not None
        if hive is None:
            if hibernated:
                yield Windows(volume.number, hibernated, None, "It holds no Windows.")
            return
        try:
            drivers = survey_drivers(hive, _drivers_present(root))
        except EverbootError as exc:
            yield Windows(volume.number, hibernated, None, exc.message)
        else:
            yield Windows(volume.number, hibernated, drivers)


def _drivers_present(root: Path) -> set[str]:
    return {
        driver
        for driver in STORAGE_DRIVERS
        if find_below(root, "Windows", "System32", "drivers", f"{driver}.sys")
    }


def _look_for_linux(volume: Volume, folders: VolumeFolders) -> Iterator[Linux]:
    with folders.folder(volume.number, volume.file_system.kind) as root:
        fstab = _text(root / "etc" / "fstab")
        grub = _text(root / "boot" / "grub" / "grub.cfg") or _text(root / "grub" / "grub.cfg")
        if fstab or grub:
            yield Linux(volume.number, fstab, grub)


def _text(file: Path) -> str:
    return file.read_text(errors="surrogateescape") if file.is_file() else ""


def _look_at_efi(volume: Volume, layout: DiskLayout, folders: VolumeFolders) -> EfiPartition:
    guid = next(p.guid for p in layout.table.partitions if p.number == volume.number)
    with folders.folder(volume.number, volume.file_system.kind) as root:
        fallback = find_below(root, "EFI", "BOOT", "BOOTX64.EFI")
        return EfiPartition(
            volume.number, guid, tuple(_loaders(root)), has_fallback=fallback is not None
        )


def _loaders(root: Path) -> Iterator[Loader]:
    """Linux first: where both are, its menu is what leads to Windows, too."""
    systems = find_below(root, "EFI")
    for folder in sorted(systems.iterdir()) if systems and systems.is_dir() else ():
        if folder.name.lower() in _NOT_SYSTEMS:
            continue
        found = [find_below(folder, name) for name in (_SHIM, _GRUB, _KEYS)]
        files = tuple(file.name for file in found if file is not None)
        if files and files[0].lower() in (_SHIM, _GRUB):
            yield Loader(folder.name, folder.relative_to(root).as_posix(), files)
    if loader := find_below(root, *_WINDOWS_LOADER):
        where = loader.parent.relative_to(root).as_posix()
        yield Loader("Windows Boot Manager", where, (loader.name,))
