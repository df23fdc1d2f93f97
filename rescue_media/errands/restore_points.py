"""Restore points and what they hold, as the two tables show them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from backup_agent.model.disk import DiskLayout, FileSystemKind, Volume
from backup_agent.model.node import NodeKind
from backup_agent.services.browse import PointBrowser, TreePath, parse_path
from backup_agent.services.points import Completeness, PointKind, RestorePoint, list_points
from backup_agent.services.repositories import BlobReader, Repository
from backup_agent.services.stored_disk import DiskInPoint
from rescue_media.flow.values import Item, Point, StoredDisk, StoredVolume

_STATES = {
    Completeness.COMPLETE: "Complete",
    Completeness.INCOMPLETE: "Something left out",
    Completeness.UNKNOWN: "Made by another program",
    Completeness.DAMAGED: "Damaged",
}


def points_by_computer(
    repository: Repository, reader: BlobReader
) -> dict[str, tuple[tuple[Point, ...], int]]:
    """Host name -> its restore points, newest first, and how many files of points are damaged.

    The damaged ones tell no host: they count for each.
    """
    damaged = 0

    def count(_file: object) -> None:
        nonlocal damaged
        damaged += 1

    found: defaultdict[str, list[Point]] = defaultdict(list)
    for point in list_points(repository, reader, on_damage=count):
        found[point.snapshot.hostname or "Unknown computer"].append(_point(point))
    return {host: (tuple(reversed(points)), damaged) for host, points in sorted(found.items())}


def _point(point: RestorePoint) -> Point:
    return Point(
        point.snapshot.id,
        point.snapshot.time.astimezone(),
        point.kind is PointKind.DISK,
        point.size,
        _STATES[point.completeness],
        point.completeness is Completeness.COMPLETE,
    )


def disks_in(browser: PointBrowser) -> Iterator[StoredDisk]:
    """Raises ``IntegrityError``."""
    root = {node.name for node in PointBrowser.list_folder(browser, ())}
    if not {b"machine.json", b"disks"} <= root:
        return
    names = [node.name for node in PointBrowser.list_folder(browser, (b"disks",))]
    for number in sorted(int(name) for name in names if name.isdigit()):
        stored = DiskInPoint(browser, number)
        layout = stored.layout
        yield StoredDisk(
            number,
            layout.model,
            layout.serial,
            layout.table.kind.value.upper(),
            layout.size,
            tuple(stored_volume(volume, layout) for volume in stored.volumes),
        )


def stored_volume(volume: Volume, layout: DiskLayout) -> StoredVolume:
    kind = volume.file_system.kind
    return StoredVolume(
        volume.number,
        volume_name(volume, layout),
        "" if kind is FileSystemKind.UNKNOWN else kind.value.upper(),
        volume.start,
        volume.size,
        volume.used_bytes,
    )


def volume_name(volume: Volume, layout: DiskLayout) -> str:
    """``Windows (C:)``: its label, else what its partition is called."""
    partition = next((p for p in layout.table.partitions if p.number == volume.number), None)
    name = volume.file_system.label or (partition.name if partition else "")
    name = name or f"Volume {volume.number}"
    return f"{name} ({volume.drive_letter}:)" if volume.drive_letter else name


def items_in(browser: PointBrowser, path: str) -> Iterator[Item]:
    """What a folder holds, folders first. Raises ``NoSuchPointError``, ``IntegrityError``."""
    folder: TreePath = parse_path(path)
    nodes = sorted(
        browser.list_folder(folder), key=lambda n: (n.kind is not NodeKind.FOLDER, n.name)
    )
    for node in nodes:
        yield Item(
            "/" + os.fsdecode(b"/".join((*folder, node.name))),
            node.name.decode("utf-8", "backslashreplace"),
            node.kind is NodeKind.FOLDER,
            node.size,
            datetime.fromtimestamp(node.mtime_ns / 1_000_000_000, UTC),
        )
