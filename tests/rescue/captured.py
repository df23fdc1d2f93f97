"""Computers in the words of ``lsblk`` and ``sfdisk``, so that no test needs their disks.

They are made up in the shape that real ones tell. ``machines/NAME.json`` holds the output of
``lsblk --json --bytes``, one ``sfdisk --json`` for each disk, and where disks are mounted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backup_agent.host.linux.lsblk import parse_whole_disks
from backup_agent.model.disk import (
    Disk,
    DiskLayout,
    FileSystem,
    FileSystemKind,
    Partition,
    PartitionTable,
    TableKind,
    Volume,
)
from backup_agent.services.inventory import DiskView, VolumeView
from rescue_media.errands.restore_points import stored_volume
from rescue_media.flow.values import StoredDisk

_FOLDER = Path(__file__).parent / "machines"
NAMES = tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))

_NTFS_TYPES = {"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"}
_ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"


def disks_of(name: str) -> list[DiskView]:
    told = json.loads((_FOLDER / f"{name}.json").read_text())
    tables = {t["partitiontable"]["device"]: t["partitiontable"] for t in told["sfdisk"]}
    disks = parse_whole_disks(json.dumps(told["lsblk"]).encode(), identify=lambda path: path)
    return [_view(disk, tables[disk.path], told["mounts"].get(disk.path, ())) for disk in disks]


def stored(view: DiskView, number: int = 0) -> StoredDisk:
    """That disk as it would stand in a restore point."""
    assert view.layout is not None
    layout = view.layout
    volumes = tuple(stored_volume(seen.volume, layout) for seen in view.volumes)
    return StoredDisk(number, view.disk.model, view.disk.serial, "GPT", view.disk.size, volumes)


def _view(disk: Disk, table: dict[str, Any], mounts: list[str]) -> DiskView:
    sector = table["sectorsize"]
    partitions = tuple(
        Partition(
            number,
            entry["start"] * sector,
            entry["size"] * sector,
            entry["type"],
            guid=entry.get("uuid", ""),
            name=entry.get("name", ""),
        )
        for number, entry in enumerate(table["partitions"], start=1)
    )
    kind = TableKind.GPT if table["label"] == "gpt" else TableKind.MBR
    layout = DiskLayout(
        disk.size,
        PartitionTable(kind, sector, table["id"], partitions),
        (),
        model=disk.model,
        serial=disk.serial,
    )
    volumes = tuple(
        VolumeView(
            Volume(p.number, p.start, p.size, FileSystem(_kind(p)), used_bytes=p.size // 3), ()
        )
        for p in partitions
    )
    refused = f"{disk.path} is in use: {', '.join(mounts)}." if mounts else ""
    return DiskView(disk, layout, volumes, tuple(mounts), restore_refused=refused)


def _kind(partition: Partition) -> FileSystemKind:
    if partition.type == _ESP:
        return FileSystemKind.FAT32
    return FileSystemKind.NTFS if partition.type in _NTFS_TYPES else FileSystemKind.UNKNOWN
