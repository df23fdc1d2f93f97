"""Linux's answers to :class:`~backup_agent.host.api.Host`."""

from __future__ import annotations

import errno
import io
import os
import platform
import socket
import stat
from contextlib import AbstractContextManager
from pathlib import Path

from backup_agent.errors import PrivilegeError, SourceError, TargetError, TargetInUseError
from backup_agent.host.api import BlockContent
from backup_agent.host.command import run
from backup_agent.host.linux import nbd
from backup_agent.host.linux.device_file import DeviceFile
from backup_agent.host.linux.lsblk import COLUMNS, lasting_name, parse_lsblk, parse_whole_disks
from backup_agent.host.linux.lvm import is_logical_volume, open_frozen_view
from backup_agent.host.linux.usage import DiskUsage, device_number
from backup_agent.host.linux.writable import WritableDevice, WritableImage, open_device, open_image
from backup_agent.model.disk import Disk
from backup_agent.model.machine import Firmware

_BY_ID = Path("/dev/disk/by-id")
_LSBLK = ("lsblk", "--json", "--bytes", "--nodeps", "--output", COLUMNS)
_LSBLK_SECONDS = 60
_USUAL_SECTOR = 512


class LinuxHost:
    """Image files need no rights but reading; block devices mostly need root."""

    def __init__(self) -> None:
        self._usage = DiskUsage()

    @property
    def hostname(self) -> str:
        return socket.gethostname()

    @property
    def operating_system(self) -> str:
        try:
            return platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            return f"Linux {platform.release()}"

    @property
    def firmware(self) -> Firmware:
        return Firmware.UEFI if Path("/sys/firmware/efi").exists() else Firmware.BIOS

    def disks(self) -> list[Disk]:
        output = run(_LSBLK, timeout_seconds=_LSBLK_SECONDS).output
        return parse_whole_disks(output, identify=_identify)

    def disk(self, path: str) -> Disk:
        try:
            status = os.stat(path)
        except OSError as exc:
            raise SourceError(f"{path}: {exc.strerror}") from exc
        if stat.S_ISREG(status.st_mode):
            return _image(path, status)
        if not stat.S_ISBLK(status.st_mode):
            raise SourceError(f"{path} is neither a block device nor an image file.")
        # "--" for paths; the real one, because lsblk knows nothing of links.
        device = os.path.realpath(path)
        output = run((*_LSBLK, "--", device), timeout_seconds=_LSBLK_SECONDS).output
        disks = parse_lsblk(output, identify=_identify)
        if not disks:
            raise SourceError(f"{path} is not among this computer's disks.")
        return disks[0]

    def open_disk(self, disk: Disk) -> io.FileIO:
        try:
            if disk.is_image:
                return io.FileIO(os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC), "r")
            return DeviceFile(disk.path, disk.sector_size or _USUAL_SECTOR)
        except PermissionError as exc:
            raise PrivilegeError(
                f"{disk.path} may not be read by this user.",
                hint="Run Everboot as root (sudo) to back up disks.",
            ) from exc
        except OSError as exc:
            raise SourceError(f"{disk.path} cannot be opened: {exc.strerror}") from exc

    def open_frozen_view(self, disk: Disk) -> io.RawIOBase | None:
        if disk.is_image or not is_logical_volume(number := device_number(disk.path)):
            return None
        # Whoever may not read the volume hears so in better words than LVM's.
        self.open_disk(disk).close()
        return open_frozen_view(number)

    def mounts(self, path: str) -> list[str]:
        try:
            if stat.S_ISBLK(os.stat(path).st_mode):
                return self._usage.of_device(device_number(path))
        except FileNotFoundError:
            return []
        return self._usage.of_image(Path(path).resolve())

    def attached_as(self, path: str) -> list[str]:
        return self._usage.attached_as(Path(path).resolve())

    def volume_mounts(self, path: str, number: int) -> list[str]:
        if number == 0:
            return self.mounts(path)
        try:
            if stat.S_ISBLK(os.stat(path).st_mode):
                return self._usage.of_partition(device_number(path), number)
        except FileNotFoundError:
            return []
        return self._usage.of_image_partition(Path(path).resolve(), number)

    def offers_block_devices(self) -> bool:
        return nbd.offers_block_devices()

    def block_device(self, content: BlockContent) -> AbstractContextManager[str]:
        return nbd.block_device(content)

    def open_target(self, disk: Disk, *, create: bool = False) -> WritableImage | WritableDevice:
        try:
            return open_image(disk, create=create) if disk.is_image else open_device(disk)
        except PermissionError as exc:
            raise PrivilegeError(
                f"{disk.path} may not be written by this user.",
                hint="Run Everboot as root (sudo) to restore to disks.",
            ) from exc
        except OSError as exc:
            if exc.errno in (errno.EBUSY, errno.EWOULDBLOCK):
                raise TargetInUseError(
                    f"{disk.path} is in use by another program.",
                    hint="Unmount it, stop what works on it, or name another target.",
                ) from exc
            raise TargetError(f"{disk.path} cannot be opened: {exc.strerror}") from exc

    def start_on_disk(self, path: str) -> int | None:
        try:
            start = Path("/sys/dev/block", device_number(path), "start").read_text()
        except OSError:
            return None
        # The kernel counts these in 512 bytes, whatever the drive's sectors.
        return int(start) * 512

    def disk_around(self, path: str) -> str | None:
        try:
            number = device_number(path)
        except OSError:
            return None
        return self._usage.disk_around(number)


def _identify(path: str) -> str:
    return lasting_name(path, _BY_ID.glob("*"))


def _image(path: str, status: os.stat_result) -> Disk:
    return Disk(
        path=path,
        identity=str(Path(path).resolve()),
        size=status.st_size,
        sector_size=None,
        read_only=not os.access(path, os.W_OK),
        is_image=True,
    )
