"""``everboot restore-disk``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backup_agent.cli import words
from backup_agent.cli.session import Session
from backup_agent.errors import JobCancelledError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a disk restore point, or latest")
    parser.add_argument(
        "--map",
        action="append",
        required=True,
        metavar="SRC=DEST",
        help="which disk goes where: disk0=IMAGE-FILE; may be repeated",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.add_argument("--verify", action="store_true", help="read back what was written")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan, do nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before writing")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import PointBrowser
    from backup_agent.services.restore_disk import execute_disk_restore, plan_disk_restore

    render = session.render
    with session.reading() as (repository, reader):
        browser = PointBrowser(reader, repository.snapshot(args.point))
        jobs = [
            plan_disk_restore(browser, source, Path(target), overwrite=args.overwrite)
            for source, target in (_pair(text) for text in args.map)
        ]
        for job in jobs:
            render.show(
                {"message_type": "plan", "target": str(job.target), "actions": list(job.lines())},
                "\n".join([f"{job.source} -> {job.target}", *(f"  {s}" for s in job.lines())]),
            )
        if args.dry_run:
            return 0
        if not args.yes:
            _confirm()
        for job in jobs:
            execute_disk_restore(job, verify=args.verify, emit=render.emit, cancel=session.cancel)
            compared = ", read back and compared" if args.verify else ""
            render.show(
                {"message_type": "summary", "target": str(job.target), "bytes": job.size},
                f"Restored {job.source} to {job.target} ({words.size(job.size)}){compared}.",
            )
    return 0


def _pair(text: str) -> tuple[str, str]:
    source, separator, target = text.partition("=")
    if not (source and separator and target):
        raise UsageError(f"--map {text} is no SRC=DEST.", hint="For instance --map disk0=disk.img")
    return source, target


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("Writing needs a yes.", hint="Add --yes, or --dry-run to only look.")
    if input("Write this? Type yes: ").strip().lower() != "yes":
        raise JobCancelledError("Nothing was written.")
