"""Walking the plan: one step after the other, each with its outcome."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from backup_agent.errors import EverbootError, TargetError
from backup_agent.filesystems.boot_sector import boot_sector_copy, hidden_sector_patches
from backup_agent.host.api import Host, WritableDisk
from backup_agent.model.cancel import CancelToken
from backup_agent.model.disk import FileSystemKind, Volume
from rescue_media.boot_repair.efi import RunEfibootmgr, create_entry, efibootmgr, put_first
from rescue_media.boot_repair.folders import VolumeFolders, find_below
from rescue_media.boot_repair.hive import enable_drivers
from rescue_media.boot_repair.linux import with_names_replaced
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
    title,
)
from rescue_media.boot_repair.survey import DiskFacts

_SECTOR = 512


class Result(StrEnum):
    DONE = "done"
    LEFT_OUT = "left out"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``words``: why it was left out or what went wrong; empty when done."""

    title: str
    result: Result
    words: str = ""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the steps work on."""

    facts: DiskFacts
    host: Host
    folders: VolumeFolders
    ask_firmware: RunEfibootmgr = efibootmgr


def execute_repair(plan: RepairPlan, place: Workplace, *, cancel: CancelToken) -> Iterator[Outcome]:
    """Each outcome as soon as it is there; a step that fails does not keep others from being done.

    Raises :class:`~backup_agent.errors.JobCancelledError` between steps.
    """
    for step in plan.steps:
        cancel.raise_if_cancelled()
        if isinstance(step, LeftOut):
            yield Outcome(step.title, Result.LEFT_OUT, step.reason)
            continue
        try:
            _do(step, place)
        except EverbootError as exc:
            words = f"{exc.message} {exc.hint}".rstrip()
            yield Outcome(title(step), Result.FAILED, words)
        except OSError as exc:
            yield Outcome(title(step), Result.FAILED, f"The disk says: {exc.strerror}.")
        else:
            yield Outcome(title(step), Result.DONE)


def _do(action: Action, place: Workplace) -> None:
    match action:
        case PatchHiddenSectors(number):
            _patch_hidden_sectors(_volume(place.facts, number), place)
        case ClearHibernation(number):
            _clear_hibernation(number, place.folders)
        case EnableDrivers(number, control_set, changes):
            with place.folders.folder(number, FileSystemKind.NTFS, writable=True) as root:
                hive = find_below(root, "Windows", "System32", "config", "SYSTEM")
                if hive is None:
                    raise TargetError("Windows' registry is not there any more.")
                enable_drivers(hive, control_set, changes)
        case NameByUuid(number, names):
            kind = _volume(place.facts, number).file_system.kind
            with place.folders.folder(number, kind, writable=True) as root:
                _name_by_uuid(root / "etc" / "fstab", names)
        case CopyToFallback(number, copies):
            kind = _volume(place.facts, number).file_system.kind
            with place.folders.folder(number, kind, writable=True) as root:
                _copy(root, copies)
        case CreateFirmwareEntry(number, loader, label):
            made = create_entry(place.facts.disk, number, loader, label, ask=place.ask_firmware)
            put_first(made, ask=place.ask_firmware)
        case StartFirst(entry):
            put_first(entry, ask=place.ask_firmware)
        case _:
            assert_never(action)


def _volume(facts: DiskFacts, number: int) -> Volume:
    return next(volume for volume in facts.volumes if volume.number == number)


def _patch_hidden_sectors(volume: Volume, place: Workplace) -> None:
    target = place.host.open_target(place.host.disk(place.facts.disk))
    try:
        boot = target.read(volume.start, _SECTOR)
        kind = volume.file_system.kind
        has_copy = _has_copy(target, volume, boot)
        for patch in hidden_sector_patches(kind, boot, volume.extent, copy_is_there=has_copy):
            _write_inside_sector(target, volume.start + patch.offset, patch.data)
        target.flush()
    finally:
        target.close()


def _has_copy(target: WritableDisk, volume: Volume, boot: bytes) -> bool:
    """Whether the volume's second boot sector is one: its first 11 bytes are the first's."""
    copy = boot_sector_copy(volume.file_system.kind, boot, volume.size)
    return copy is not None and target.read(volume.start + copy, _SECTOR)[:11] == boot[:11]


def _write_inside_sector(target: WritableDisk, start: int, data: bytes) -> None:
    """Devices are written in whole sectors."""
    sector = start // _SECTOR * _SECTOR
    old = target.read(sector, _SECTOR)
    inside = start - sector
    target.write(sector, old[:inside] + data + old[inside + len(data) :])


def _clear_hibernation(number: int, folders: VolumeFolders) -> None:
    # Mounting for writing drops the session; what is left of the file has no meaning.
    with folders.folder(number, FileSystemKind.NTFS, writable=True) as root:
        if file := find_below(root, "hiberfil.sys"):
            file.unlink()


def _name_by_uuid(fstab: Path, names: Iterable[tuple[str, str]]) -> None:
    text = fstab.read_text(errors="surrogateescape")
    kept = fstab.with_name("fstab.before-restore")
    if not kept.exists():
        shutil.copy2(fstab, kept)
    _replace(fstab, with_names_replaced(text, names).encode(errors="surrogateescape"))


def _replace(file: Path, content: bytes) -> None:
    unfinished = file.with_name(f"{file.name}.everboot-new")
    unfinished.write_bytes(content)
    shutil.copystat(file, unfinished)
    status = file.stat()
    os.chown(unfinished, status.st_uid, status.st_gid)
    unfinished.replace(file)


def _copy(root: Path, copies: Iterable[tuple[str, str]]) -> None:
    for source, target in copies:
        folder = root / Path(target).parent
        folder = find_below(root, *Path(target).parent.parts) or folder
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / "everboot.new"
        shutil.copyfile(root / source, unfinished)
        unfinished.replace(folder / Path(target).name)
