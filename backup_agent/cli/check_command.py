"""``everboot check``"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError
from backup_agent.model.finding import Severity
from backup_agent.model.subset import EVERYTHING, PackSubset, parse_subset

if TYPE_CHECKING:
    from backup_agent.model.disk_check import DiskPointCheck

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--read-data", action="store_true", help="read and prove every byte")
    parser.add_argument(
        "--read-data-subset",
        default="",
        metavar="SHARE",
        help="only a share: 5%% (another one each day), or 2/10",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.check import run_check

    render = session.render
    with session.opened(cached=False) as repository:
        report = run_check(
            repository,
            headers=args.read_data,
            read_data=_subset(args),
            emit=render.emit,
            cancel=session.cancel,
        )
    for finding in report.findings:
        text = words.printable(str(finding))
        render.show(
            {
                "message_type": "finding",
                "severity": finding.severity.value,
                "file": finding.file,
                "message": finding.message,
                "hint": finding.hint,
            },
            f"{text}\n  {finding.hint}" if finding.hint else text,
        )
    for point in report.disk_points:
        render.show(
            _disk_record(point, proven=report.read_everything),
            _disk_words(point, proven=report.read_everything),
        )
    errors = sum(f.severity is Severity.ERROR for f in report.findings)
    read = f", {report.packs_read:,} of them to the last byte" if report.packs_read else ""
    verdict = f"{words.count(errors, 'error')} found." if errors else "No errors were found."
    render.show(
        {
            "message_type": "summary",
            "num_errors": errors,
            "snapshots": report.snapshots,
            "index_files": report.index_files,
            "packs": report.packs,
            "packs_read": report.packs_read,
        },
        f"Checked {words.count(report.snapshots, 'restore point')} and "
        f"{words.count(report.packs, 'pack')}{read}. {verdict}",
    )
    return _EXIT_DAMAGED if errors else 0


def _disk_record(point: DiskPointCheck, *, proven: bool) -> dict[str, object]:
    return {
        "message_type": "disk_point",
        "id": point.snapshot.id,
        "short_id": point.snapshot.short_id,
        "whole": point.whole,
        "undamaged": point.undamaged,
        "complete": point.complete,
        "read_data": proven,
        "disks": point.disks,
        "volumes": [
            {
                "path": f"/{volume.path}",
                "file_system": volume.file_system.value if volume.file_system else None,
                "opens": volume.opens,
                "problem": volume.problem,
            }
            for volume in point.volumes
        ],
    }


def _disk_words(point: DiskPointCheck, *, proven: bool) -> str:
    """``proven``: every byte in the repository was read."""
    opened = sum(volume.opens is True for volume in point.volumes)
    made_of = f"{words.count(point.disks, 'disk')} with {words.count(len(point.volumes), 'volume')}"
    return (
        f"Disk restore point {point.snapshot.short_id}: {made_of}, "
        f"{_verdict(point, proven=proven)}; "
        f"{words.count(opened, 'file system opens', 'file systems open')}."
    )


def _verdict(point: DiskPointCheck, *, proven: bool) -> str:
    if not point.undamaged:
        return "NOT whole, see above"
    if not point.complete:
        return "INCOMPLETE since it was backed up, see above"
    return "whole" if proven else "every block is there (--read-data proves what they hold)"


def _subset(args: argparse.Namespace) -> PackSubset | None:
    if args.read_data and args.read_data_subset:
        raise UsageError("--read-data reads everything: a subset adds nothing.")
    if args.read_data_subset:
        return parse_subset(args.read_data_subset, rotation=datetime.now(UTC).toordinal())
    return EVERYTHING if args.read_data else None
