"""How a Linux names the file systems that it mounts at its start.

``fstab`` (fstab(5)): device, folder, type, options, and two numbers a line. A
device by UUID is right on any computer; ``/dev/sda2`` is another disk once the
disk hangs on NVMe, or beside others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backup_agent.model.disk import Volume

_DEVICE = re.compile(r"/dev/(?:(?:sd|hd|vd|xvd)[a-z]+|nvme\d+n\d+p|mmcblk\d+p)(?P<number>\d+)")
_SEARCH = re.compile(
    r"--fs-uuid\b[^\n]*?\s(?P<uuid>[0-9A-Fa-f]{4,}[0-9A-Fa-f-]*)\s*$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class FstabEntry:
    device: str
    folder: str
    options: tuple[str, ...]

    @property
    def may_be_missing(self) -> bool:
        return not {"nofail", "noauto"}.isdisjoint(self.options)


def fstab_entries(text: str) -> Iterator[FstabEntry]:
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 4 and not words[0].startswith("#"):
            yield FstabEntry(words[0], words[1], tuple(words[3].split(",")))


def names_to_replace(text: str, volumes: Iterable[Volume]) -> tuple[tuple[str, str], ...]:
    """Devices that the restored disk's volumes were called by, and their UUIDs instead.

    Only where all such devices are of one disk: else nobody can tell which disk is meant.
    """
    serials = {volume.number: volume.file_system.serial for volume in volumes}
    found = {e.device: m for e in fstab_entries(text) if (m := _DEVICE.fullmatch(e.device))}
    disks = {device.removesuffix(match["number"]) for device, match in found.items()}
    if len(disks) != 1:
        return ()
    return tuple(
        (device, f"UUID={serial}")
        for device, match in found.items()
        if (serial := serials.get(int(match["number"]), ""))
    )


def missing_uuids(text: str, volumes: Iterable[Volume]) -> tuple[FstabEntry, ...]:
    """Entries whose UUID no volume of the disk has, and which the start would wait for."""
    known = {volume.file_system.serial.lower() for volume in volumes}
    return tuple(
        entry
        for entry in fstab_entries(text)
        if entry.device.startswith("UUID=")
        and entry.device.removeprefix("UUID=").strip('"').lower() not in known
        and not entry.may_be_missing
    )


def unknown_to_grub(text: str, volumes: Iterable[Volume]) -> tuple[str, ...]:
    """UUIDs that GRUB's menu searches for and the disk does not have."""
    known = {volume.file_system.serial.lower() for volume in volumes}
    asked = dict.fromkeys(match["uuid"] for match in _SEARCH.finditer(text))
    return tuple(uuid for uuid in asked if uuid.lower() not in known)


def with_names_replaced(text: str, names: Iterable[tuple[str, str]]) -> str:
    """The fstab with nothing else changed, comments and spaces included."""
    for device, uuid in names:
        text = re.sub(rf"(?m)^(\s*){re.escape(device)}(?=\s)", rf"\g<1>{uuid}", text)
    return text
