"""What drives say of themselves, as ``smartctl --json`` tells it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backup_agent.errors import CommandFailedError, EverbootError
from backup_agent.host.command import run
from backup_agent.model.disk import Disk
from backup_agent.qtkit import words
from rescue_media.flow.values import DiskHealth

_TIMEOUT_SECONDS = 30
_REALLOCATED, _PENDING, _UNCORRECTABLE = 5, 197, 198
_EVERY_EXIT_CODE = range(256)
"""Its bits tell what was found, which the JSON tells better."""


class _Raw(msgspec.Struct):
    value: int = 0


class _Attribute(msgspec.Struct):
    id: int
    raw: _Raw


class _Attributes(msgspec.Struct):
    table: list[_Attribute] = []


class _Nvme(msgspec.Struct):
    percentage_used: int = 0
    media_errors: int = 0
    critical_warning: int = 0


class _Status(msgspec.Struct):
    passed: bool


class _Temperature(msgspec.Struct):
    current: int = 0


class _Hours(msgspec.Struct):
    hours: int = 0


class _Output(msgspec.Struct):
    smart_status: _Status | None = None
    ata_smart_attributes: _Attributes | None = None
    nvme_smart_health_information_log: _Nvme | None = None
    temperature: _Temperature | None = None
    power_on_time: _Hours | None = None


def ask_disk(disk: Disk) -> DiskHealth:
    """A drive that says nothing, or no smartctl, is an answer too."""
    shown = " ".join(filter(None, (disk.path, disk.model, words.size(disk.size))))
    try:
        told = run(
            ["smartctl", "--json", "--info", "--health", "--attributes", disk.path],
            timeout_seconds=_TIMEOUT_SECONDS,
            also_good=_EVERY_EXIT_CODE,
        )
        return parse_health(shown, told.output)
    except EverbootError as error:
        return DiskHealth(shown, None, (error.message,))


def parse_health(shown: str, output: bytes) -> DiskHealth:
    """``is_good`` is false as soon as the drive expects to fail or has lost sectors."""
    try:
        told = msgspec.json.decode(output, type=_Output)
    except msgspec.DecodeError as exc:
        raise CommandFailedError(f"smartctl answered what is not understood: {exc}") from exc
    if told.smart_status is None:
        return DiskHealth(shown, None, ("It does not say how it is (no SMART).",))
    flaws = tuple(_flaws(told))
    is_good = told.smart_status.passed and not flaws
    return DiskHealth(shown, is_good, (*flaws, *_facts(told)))


def _flaws(told: _Output) -> Iterator[str]:
    if told.smart_status and not told.smart_status.passed:
        yield "It expects to fail soon: copy what is on it, and replace it."
    counts = {a.id: a.raw.value for a in (told.ata_smart_attributes or _Attributes()).table}
    if count := counts.get(_REALLOCATED):
        yield f"{count} worn areas were replaced."
    if count := counts.get(_PENDING):
        yield f"{count} areas cannot be read at present."
    if count := counts.get(_UNCORRECTABLE):
        yield f"{count} areas are lost."
    nvme = told.nvme_smart_health_information_log or _Nvme()
    if nvme.media_errors:
        yield f"{nvme.media_errors} errors of the medium."
    if nvme.critical_warning:
        yield "The drive gives a critical warning."


def _facts(told: _Output) -> Iterator[str]:
    if told.nvme_smart_health_information_log:
        yield f"{told.nvme_smart_health_information_log.percentage_used} % of its life are used."
    if told.power_on_time:
        yield f"{told.power_on_time.hours:,} hours in use."
    if told.temperature:
        yield f"{told.temperature.current} °C."
