"""``everboot disks``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.inventory import DiskView


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="disk images instead of disks")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.inventory import inspect_disks

    shown = False
    for view in inspect_disks(args.images):
        shown = True
        session.render.show(_record(view), "\n".join(_lines(view)))
    if not shown:
        session.render.say("No disk was found.")
    return 0


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
        "in_use": list(view.mounts),
        "problem": view.problem,
    }
    if layout is not None:
        by_number = {volume.number: volume for volume in view.volumes}
        record["table"] = layout.table.kind.value
        record["sector_size"] = layout.table.sector_size
        record["id"] = layout.table.id
        record["partitions"] = [
            {
                "number": partition.number,
                "start": partition.start,
                "size": partition.size,
                "type": partition.type,
                "name": partition.name,
                "guid": partition.guid,
            }
            for partition in layout.table.partitions
        ]
        record["volumes"] = [
            {
                "number": number,
                "start": volume.start,
                "size": volume.size,
                "file_system": volume.file_system.kind.value,
                "label": volume.file_system.label,
                "serial": volume.file_system.serial,
            }
            for number, volume in sorted(by_number.items())
        ]
    return record


def _lines(view: DiskView) -> list[str]:
    disk, layout = view.disk, view.layout
    title = words.printable(" ".join(part for part in (disk.path, disk.model) if part))
    lines = [f"{title}: {words.size(disk.size)}"]
    if view.mounts:
        lines[0] += f", in use at {words.printable(', '.join(view.mounts))}"
    if layout is None:
        return [*lines, f"  {words.printable(view.problem)}"]
    lines[0] += f", {layout.table.kind.value.upper()}, sectors of {layout.table.sector_size} bytes"
    names = {partition.number: partition.name for partition in layout.table.partitions}
    for volume in view.volumes:
        system = volume.file_system
        label = " ".join(part for part in (system.label, names.get(volume.number, "")) if part)
        lines.append(
            f"  volume{volume.number:<3} {words.size(volume.size):>11}  "
            f"{system.kind.value:<9} {system.serial:<36}  {words.printable(label)}".rstrip()
        )
    return lines
