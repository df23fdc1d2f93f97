"""Choosing what a backup reads: the faces' way to the sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.sources.entry import Source
from backup_agent.sources.filters import Filters
from backup_agent.sources.tree import FileTree

if TYPE_CHECKING:
    from backup_agent.sources.disk import DiskSource

__all__ = [
    "ChosenDisks",
    "DiskSelection",
    "FileSelection",
    "Source",
    "disks_source",
    "files_source",
]


@dataclass(frozen=True, slots=True)
class FileSelection:
    """Which files: ``excludes`` are gitignore patterns and have the last word over the files'."""

    paths: tuple[str, ...]
    excludes: tuple[str, ...] = ()
    exclude_files: tuple[Path, ...] = ()
    exclude_caches: bool = False
    one_file_system: bool = False


def files_source(selection: FileSelection) -> FileTree:
    """Raises ``UsageError`` for paths that do not exist and for bad patterns."""
    return FileTree(
        selection.paths,
        filters=Filters(
            patterns=selection.excludes,
            pattern_files=selection.exclude_files,
            exclude_caches=selection.exclude_caches,
        ),
        one_file_system=selection.one_file_system,
    )


@dataclass(frozen=True, slots=True)
class DiskSelection:
    """Which disks; without any, every fixed one of this computer.

    ``include_all``: with swap and Windows' temporary files. ``repository``: the
    folder that the restore point will lie in, where it is one of this computer's.
    """

    disks: tuple[str, ...] = ()
    allow_mounted: bool = False
    include_all: bool = False
    repository: Path | None = None


@dataclass(frozen=True, slots=True)
class ChosenDisks:
    """``remarks`` are what a person should know of them before they are read."""

    source: DiskSource
    remarks: tuple[str, ...]


def disks_source(selection: DiskSelection) -> ChosenDisks:
    """Close the source after the backup.

    Raises as ``sources.disk.open_disk_source`` and ``machine_disks.choose_disks`` do.
    """
    # Only here: a backup of files needs nothing of what reads disks.
    from backup_agent.host.select import current_host
    from backup_agent.services.hit_files import find_hit_files
    from backup_agent.services.machine_disks import choose_disks, holds
    from backup_agent.sources.disk import open_disk_source

    host = current_host()
    disks, remarks = selection.disks, list[str]()
    if not disks:
        machine = choose_disks(host, repository=selection.repository)
        disks, remarks = machine.paths, list(machine.remarks)
    elif selection.repository is not None:
        remarks += [
            f"{disk} holds the repository itself: what is written there goes into every backup."
            for disk in disks
            if holds(host, disk, selection.repository)
        ]
    source = open_disk_source(
        host,
        disks,
        allow_mounted=selection.allow_mounted,
        include_all=selection.include_all,
        finder=find_hit_files,
    )
    return ChosenDisks(source, (*remarks, *source.remarks))
