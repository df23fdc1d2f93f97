"""``everboot disks``"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.model.disk import DiskLayout, PartitionTable
    from backup_agent.services.inventory import DiskView, VolumeView


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="disk images instead of disks")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.inventory import inspect_disks

    shown = False
    for view in inspect_disks(args.images, repository=_repository(session)):
        session.cancel.raise_if_cancelled()
        shown = True
        session.render.show(_record(view), "\n".join(_lines(view)))
    if not shown:
        session.render.say("No disk was found.")
    return 0


def _repository(session: Session) -> str:
    """Where it lies, if one is named and it is a folder: its disk is no target."""
    from backup_agent.services.repositories import local_folder

    try:
        folder = local_folder(session.address())
    except UsageError:
        return ""
    return str(folder) if folder else ""


def _record(view: DiskView) -> dict[str, object]:
    disk, layout = view.disk, view.layout
    record: dict[str, object] = {
        "message_type": "disk",
        "path": disk.path,
        "identity": disk.identity,
        "size": disk.size,
        "model": disk.model,
        "serial": disk.serial,
        "transport": disk.transport,
        "removable": disk.removable,
        "read_only": disk.read_only,
        "image": disk.is_image,
        "in_use": list(view.mounts),
        "problem": view.problem,
        "backup_refused": view.backup_refused,
        "restore_refused": view.restore_refused,
    }
    if layout is not None:
        record |= _layout_record(layout)
        record["volumes"] = [_volume_record(volume) for volume in view.volumes]
    return record


def _layout_record(layout: DiskLayout) -> dict[str, object]:
    return {
        "table": layout.table.kind.value,
        "sector_size": layout.table.sector_size,
        "id": layout.table.id,
        "flaws": list(layout.table.flaws),
        "undivided": list(layout.table.undivided),
        "partitions": [
            {
                "number": partition.number,
                "start": partition.start,
                "size": partition.size,
                "type": partition.type,
                "name": partition.name,
                "guid": partition.guid,
            }
            for partition in layout.table.partitions
        ],
    }


def _volume_record(view: VolumeView) -> dict[str, object]:
    volume = view.volume
    return {
        "number": volume.number,
        "start": volume.start,
        "size": volume.size,
        "used_bytes": volume.used_bytes,
        "file_system": volume.file_system.kind.value,
        "label": volume.file_system.label,
        "serial": volume.file_system.serial,
        "mounted_at": list(view.mounts),
        "remarks": list(volume.remarks),
    }


def _lines(view: DiskView) -> Iterator[str]:
    disk, layout = view.disk, view.layout
    facts = [
        words.size(disk.size),
        disk.transport,
        f"serial {disk.serial}" if disk.serial else "",
        "removable" if disk.removable else "",
        "read-only" if disk.read_only else "",
    ]
    if layout is not None:
        table = layout.table
        facts += [_table_words(table), f"sectors of {table.sector_size} bytes"]
    title = " ".join(part for part in (disk.path, disk.model) if part)
    yield words.printable(f"{title}: {', '.join(fact for fact in facts if fact)}")
    if layout is not None:
        names = {partition.number: partition.name for partition in layout.table.partitions}
        for volume in view.volumes:
            yield words.printable(_volume_line(volume, names.get(volume.volume.number, "")))
            yield from (f"    {words.printable(remark)}" for remark in volume.volume.remarks)
        yield from (f"  {words.printable(flaw)}" for flaw in layout.table.flaws)
    if view.problem:
        yield words.printable(f"  {view.problem}")
    elif view.backup_refused:
        yield words.printable(f"  A backup would be refused. {view.backup_refused}")
    if view.restore_refused:
        yield words.printable(f"  A restore to it would be refused. {view.restore_refused}")


def _table_words(table: PartitionTable) -> str:
    if table.kind.value != "none":
        return table.kind.value.upper()
    return "partition table not believed" if table.undivided else "no partition table"


def _volume_line(view: VolumeView, name: str) -> str:
    volume = view.volume
    system = volume.file_system
    used = "" if volume.used_bytes is None else f"{words.size(volume.used_bytes)} used"
    label = " ".join(part for part in (system.label, name) if part)
    mounted = f"at {', '.join(view.mounts)}" if view.mounts else ""
    line = (
        f"  volume{volume.number:<3} {words.size(volume.size):>11}  {used:>16}  "
        f"{system.kind.value:<9} {system.serial:<36}  {label}  {mounted}"
    )
    return line.rstrip()
