"""The disks of this computer, as ``lsblk`` tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from backup_agent.errors import CommandFailedError
from backup_agent.model.disk import Disk

COLUMNS = "PATH,NAME,TYPE,SIZE,LOG-SEC,PHY-SEC,MODEL,SERIAL,TRAN,RM,RO"
# Disks by type, but they are memory, floppies, or network and virtual ones without a medium.
_NO_DISKS = ("ram", "zram", "fd")


class _Device(msgspec.Struct, rename={"log_sec": "log-sec", "phy_sec": "phy-sec"}):
    path: str
    name: str
    type: str
    size: int
    log_sec: int
    phy_sec: int
    rm: bool
    ro: bool
    model: str | None = None
    serial: str | None = None
    tran: str | None = None


class _Output(msgspec.Struct):
    blockdevices: list[_Device]


def parse_lsblk(output: bytes, *, identify: Callable[[str], str]) -> list[Disk]:
    """The devices in ``lsblk --json --bytes --output COLUMNS``, whatever their type.

    ``identify`` finds a device's lasting name. Raises :class:`CommandFailedError`.
    """
    return [_disk(device, identify) for device in _decode(output)]


def parse_whole_disks(output: bytes, *, identify: Callable[[str], str]) -> list[Disk]:
    """As :func:`parse_lsblk`, but only what a person would call a disk, sorted by path."""
    disks = [
        _disk(device, identify)
        for device in _decode(output)
        if device.type == "disk" and device.size and not device.name.startswith(_NO_DISKS)
    ]
    return sorted(disks, key=lambda disk: disk.path)


def _decode(output: bytes) -> list[_Device]:
    try:
        return msgspec.json.decode(output, type=_Output).blockdevices
    except msgspec.DecodeError as exc:
        raise CommandFailedError(f"lsblk answered what is not understood: {exc}") from exc


def _disk(device: _Device, identify: Callable[[str], str]) -> Disk:
    return Disk(
        path=device.path,
        identity=identify(device.path),
        size=device.size,
        sector_size=device.log_sec,
        physical_sector_size=device.phy_sec,
        model=(device.model or "").strip(),
        serial=(device.serial or "").strip(),
        transport=device.tran or "",
        removable=device.rm,
        read_only=device.ro,
    )


def lasting_name(path: str, links: Iterable[Path]) -> str:
    """The link in ``/dev/disk/by-id`` that leads to the device; its plain path where none does.

    ``/dev/sda`` may be another disk after a restart. Names made of model and
    serial number come before bare numbers (``wwn-…``, ``nvme-eui.…``).
    """
    target = Path(path).resolve()
    names = [link for link in links if link.resolve() == target]
    names.sort(key=lambda link: (link.name.startswith(("wwn-", "nvme-eui.", "nvme-uuid.")), link))
    return str(names[0]) if names else path
