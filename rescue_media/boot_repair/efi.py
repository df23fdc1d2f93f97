"""The firmware's own list of what to start: read and changed by efibootmgr."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backup_agent.errors import CommandFailedError
from backup_agent.host.command import run

VARIABLES = Path("/sys/firmware/efi/efivars")
_SECONDS = 30.0
# "Boot0001* Windows Boot Manager	HD(1,GPT,…)/File(\EFI\…\bootmgfw.efi)"; from version 18 on
# without "File()".
_ENTRY = re.compile(
    r"^Boot(?P<number>[0-9A-F]{4})(?P<active>[* ]) (?P<label>.*?)(?:\t(?P<path>.*))?$"
)
_DISK_PATH = re.compile(
    r"HD\(\d+,GPT,(?P<guid>[0-9a-fA-F-]{36}),[^)]*\)/(?:File\()?(?P<loader>\\[^)\s]*)"
)
_ORDER = re.compile(r"^BootOrder: (?P<order>[0-9A-F,]+)$")

RunEfibootmgr = Callable[..., str]


@dataclass(frozen=True, slots=True)
class FirmwareEntry:
    """``guid`` (of the partition, in capitals) and ``loader`` are empty where it is no file."""

    number: str
    label: str
    guid: str = ""
    loader: str = ""


@dataclass(frozen=True, slots=True)
class FirmwareList:
    """``order`` are the numbers of entries, the first to be started first."""

    entries: tuple[FirmwareEntry, ...]
    order: tuple[str, ...]

    def find(self, guid: str, loader: str) -> FirmwareEntry | None:
        """The entry that starts that file of that partition; case does not matter to FAT."""
        for entry in self.entries:
            if entry.guid == guid.upper() and entry.loader.lower() == loader.lower():
                return entry
        return None


def why_no_firmware_list(variables: Path = VARIABLES) -> str:
    """Empty where there is one; else the reason, as a sentence."""
    if not variables.is_dir():
        return "This computer was started by BIOS, which keeps no list."
    try:
        if any(variables.iterdir()):
            return ""
    except OSError:
        pass
    return "This computer's firmware does not show its list."


def parse_firmware_list(text: str) -> FirmwareList:
    """What ``efibootmgr -v`` writes."""
    entries: list[FirmwareEntry] = []
    order: tuple[str, ...] = ()
    for line in text.splitlines():
        if found := _ORDER.match(line):
            order = tuple(found["order"].split(","))
        elif found := _ENTRY.match(line):
            place = _DISK_PATH.search(found["path"] or "")
            entries.append(
                FirmwareEntry(
                    found["number"],
                    found["label"],
                    place["guid"].upper() if place else "",
                    place["loader"] if place else "",
                )
            )
    return FirmwareList(tuple(entries), order)


def efibootmgr(*arguments: str) -> str:
    """Raises :class:`CommandFailedError`, :class:`UnsupportedError`."""
    return run(["efibootmgr", *arguments], timeout_seconds=_SECONDS).output.decode(errors="replace")


def create_entry(
    disk: str, partition: int, loader: str, label: str, *, ask: RunEfibootmgr = efibootmgr
) -> str:
    """Make an entry, the first of the order; its number. Raises :class:`CommandFailedError`."""
    before = {entry.number for entry in parse_firmware_list(ask("-v")).entries}
    ask(
        *("--create", "--disk", disk, "--part", str(partition)),
        *("--loader", loader, "--label", label),
    )
    made = [e for e in parse_firmware_list(ask("-v")).entries if e.number not in before]
    if not made:
        raise CommandFailedError(
            "The firmware did not keep the new entry.",
            hint="Choose the disk in the firmware's own menu.",
        )
    return made[0].number


def put_first(number: str, *, ask: RunEfibootmgr = efibootmgr) -> None:
    """First of the order, and next in any case. Raises :class:`CommandFailedError`."""
    order = parse_firmware_list(ask("-v")).order
    if order[:1] != (number,):
        ask("--bootorder", ",".join((number, *(other for other in order if other != number))))
    ask("--bootnext", number)
