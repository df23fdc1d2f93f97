"""Choosing what a backup reads: the faces' way to the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.sources.entry import Source
from backup_agent.sources.filters import Filters
from backup_agent.sources.tree import FileTree

if TYPE_CHECKING:
    from backup_agent.sources.disk import DiskSource

__all__ = ["FileSelection", "Source", "disks_source", "files_source"]


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


def disks_source(disks: Sequence[str], *, allow_mounted: bool) -> DiskSource:
    """Close it after the backup. Raises as ``sources.disk.open_disk_source`` does."""
    # Only here: a backup of files needs nothing of what reads disks.
    from backup_agent.host.select import current_host
    from backup_agent.sources.disk import open_disk_source

    return open_disk_source(current_host(), disks, allow_mounted=allow_mounted)
