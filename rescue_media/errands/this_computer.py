"""What the computer says of itself: maker, memory, firmware, disks. No disk is read for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backup_agent.errors import HostError
from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.qtkit import words
from rescue_media.flow.values import Computer

_SYSTEM = Path("/")
# EFI_GLOBAL_VARIABLE; four bytes of attributes come before the value.
_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_KIB = 1024


def this_computer(host: Host | None = None, system: Path = _SYSTEM) -> Computer | None:
    """``system``: where ``sys`` and ``proc`` are. ``None`` where disks cannot be asked for."""
    host = host or current_host()
    try:
        disks = tuple(
            (f"Disk {number}", ", ".join(filter(None, (disk.model, words.size(disk.size)))))
            for number, disk in enumerate(host.disks())
        )
    except HostError:
        return None
    facts = (*_facts(system), host.firmware.value.upper(), _secure_boot(system))
    return Computer(", ".join(filter(None, facts)), disks)


def _facts(system: Path) -> Iterator[str]:
    dmi = system / "sys/class/dmi/id"
    yield " ".join(filter(None, (_text(dmi / "sys_vendor"), _text(dmi / "product_name"))))
    for line in _text(system / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            yield f"{words.size(int(value.split()[0]) * _KIB)} memory"


def _secure_boot(system: Path) -> str:
    try:
        value = (system / _SECURE_BOOT).read_bytes()
    except OSError:
        return ""
    return "Secure Boot on" if value[4:5] == b"\x01" else "Secure Boot off"


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
