"""``everboot points``"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.points import DamagedFile

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="", metavar="NAME", help="only of this computer")
    parser.add_argument("--tag", default="", metavar="TAG", help="only with this tag")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.points import Completeness, list_points

    shown = 0
    damaged = False

    def tell(file: DamagedFile) -> None:
        nonlocal damaged
        damaged = True
        session.render.warn(f"A restore point is damaged: {file.reason}")

    with session.reading() as (repository, reader):
        for point in list_points(repository, reader, on_damage=tell):
            snapshot = point.snapshot
            if args.host not in ("", snapshot.hostname):
                continue
            if args.tag and args.tag not in snapshot.tags:
                continue
            if not shown:
                session.render.say(
                    f"{'ID':<10}{'Time':<21}{'Host':<14}{'Kind':<7}{'Size':>11}  State       Paths"
                )
            shown += 1
            size = "" if point.size is None else words.size(point.size)
            paths = words.printable(" ".join(snapshot.paths))
            left_out = words.printable(", ".join(point.left_out))
            session.render.show(
                {
                    "message_type": "point",
                    "id": snapshot.id,
                    "short_id": snapshot.short_id,
                    "time": snapshot.time.isoformat(),
                    "hostname": snapshot.hostname,
                    "kind": point.kind.value,
                    "size": point.size,
                    "state": point.completeness.value,
                    "complete": {
                        Completeness.COMPLETE: True,
                        Completeness.UNKNOWN: None,
                    }.get(point.completeness, False),
                    "paths": list(snapshot.paths),
                    "left_out": list(point.left_out),
                    "tags": list(snapshot.tags),
                    "parent": snapshot.parent,
                    "program_version": snapshot.program_version,
                },
                f"{snapshot.short_id:<10}{words.moment(snapshot.time):<21}"
                f"{words.printable(snapshot.hostname):<14}{point.kind.value:<7}{size:>11}  "
                f"{point.completeness.value:<11} {paths}"
                + (f"\n{'':<10}left out: {left_out}" if left_out else ""),
            )
    if not shown and not damaged:
        session.render.say("There is no restore point yet.")
    return _EXIT_DAMAGED if damaged else 0
