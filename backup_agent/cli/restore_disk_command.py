"""``everboot restore-disk``"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.disk_plan_words import gap_records, left_out_records, plan_record, plan_text
from backup_agent.cli.session import Session
from backup_agent.errors import JobCancelledError, UsageError

if TYPE_CHECKING:
    from backup_agent.services.restore_disk import DiskRestore

_EXIT_INCOMPLETE = 3


@dataclass(frozen=True, slots=True)
class VolumeToShrink:
    """``disk`` is empty where only a number was given: it stands for that volume of each disk."""

    disk: str
    number: int

    @classmethod
    def parse(cls, text: str) -> VolumeToShrink:
        """``2``, or as ``--map`` and listings have it: ``disk0/volume2``."""
        spelt = re.fullmatch(r"(?:/?(disk\d+)/volume)?(\d+)", text, re.ASCII)
        if spelt is None:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no volume: give its number (2) or its place (disk0/volume2)"
            )
        return cls(spelt[1] or "", int(spelt[2]))

    def refuse_other_disks(self, sources: Sequence[str]) -> None:
        """Raises ``UsageError`` where none of the mapped sources is, or lies on, its disk."""
        if not any(self.number_on(source) is not None for source in sources):
            raise UsageError(
                f"--shrink names a volume of {self.disk}, but no --map does.",
                hint=f"Mapped are: {', '.join(sources)}.",
            )

    def number_on(self, source: str) -> int | None:
        """The volume's number for the restore of that source; ``None`` if it is on another disk."""
        return self.number if self.disk in ("", source.strip("/").partition("/")[0]) else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a disk restore point, or latest")
    parser.add_argument(
        "--map",
        action="append",
        required=True,
        metavar="SRC=DEST",
        help="what goes where: disk0 or disk0/volume2 = a disk, partition or image file; may be "
        "repeated",
    )
    parser.add_argument(
        "--grow", action="store_true", help="let the last NTFS or ext volume take all there is"
    )
    parser.add_argument(
        "--shrink",
        type=VolumeToShrink.parse,
        metavar="VOLUME",
        help="on a smaller target, shrink this volume, 2 or disk0/volume2 (default: the largest "
        "that can be)",
    )
    parser.add_argument(
        "--new-guids",
        action="store_true",
        help="new disk and partition ids, for when the original disk stays attached",
    )
    parser.add_argument(
        "--discard", action="store_true", help="tell the drive first that it may forget everything"
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="DIR",
        help="room for a volume that changes its size (default: beside an image, or $TMPDIR)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace image files that exist")
    parser.add_argument("--verify", action="store_true", help="read back what was written")
    parser.add_argument("-n", "--dry-run", action="store_true", help="show the plan, do nothing")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before writing")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import PointBrowser
    from backup_agent.services.restore_disk import (
        Wishes,
        execute_disk_restore,
        plan_disk_restore,
        refuse_double_targets,
        scratch_folder,
    )

    render = session.render
    pairs = [_pair(text) for text in args.map]
    if args.shrink:
        args.shrink.refuse_other_disks([source for source, _ in pairs])
    wishes = Wishes(grow=args.grow, new_ids=args.new_guids, discard=args.discard)
    with session.reading() as (repository, reader):
        browser = PointBrowser(reader, repository.snapshot(args.point))
        jobs = [
            plan_disk_restore(
                browser,
                source,
                Path(target),
                wishes=replace(
                    wishes, shrink=args.shrink.number_on(source) if args.shrink else None
                ),
                overwrite=args.overwrite,
                repository=repository.location,
            )
            for source, target in pairs
        ]
        refuse_double_targets([job.target for job in jobs])
        for job in jobs:
            render.show(plan_record(job), plan_text(job, scratch_folder(job, args.scratch)))
        if args.dry_run:
            return 0
        if not args.yes:
            _confirm(jobs)
        for job in jobs:
            execute_disk_restore(
                job,
                verify=args.verify,
                emit=render.emit,
                cancel=session.cancel,
                scratch=args.scratch,
            )
            render.show(_summary_record(job), _summary_text(job, verified=args.verify))
    return _EXIT_INCOMPLETE if any(job.gaps for job in jobs) else 0


def _summary_record(job: DiskRestore) -> dict[str, object]:
    return {
        "message_type": "summary",
        "target": str(job.target),
        "bytes": job.size,
        "gaps": gap_records(job),
        "left_out": left_out_records(job),
    }


def _summary_text(job: DiskRestore, *, verified: bool) -> str:
    compared = ", read back and compared with the restore point" if verified else ""
    done = f"Restored {job.source} to {job.target} ({words.size(job.size)}){compared}."
    but = [*job.left_out_words, *(gap.words for gap in job.gaps)]
    return "\n".join([done, *(f"  But {words.printable(text)}" for text in but)])


def _pair(text: str) -> tuple[str, str]:
    source, separator, target = text.partition("=")
    if not (source and separator and target):
        raise UsageError(f"--map {text} is no SRC=DEST.", hint="For instance --map disk0=disk.img")
    return source, target


def _confirm(jobs: Sequence[DiskRestore]) -> None:
    if not sys.stdin.isatty():
        raise UsageError("Writing needs a yes.", hint="Add --yes, or --dry-run to only look.")
    for job in jobs:
        if input(_question(job)).strip().lower() != "yes":
            raise JobCancelledError("Nothing was written.")


def _question(job: DiskRestore) -> str:
    disk = job.plan.target
    if disk.is_image:
        what = f"the image file {disk.path} ({words.size(disk.size)})"
    else:
        known = ", ".join(filter(None, (words.size(disk.size), disk.model, disk.serial)))
        what = f"{disk.path} ({known}); EVERYTHING on it is lost"
    return words.printable(f"Write {job.source} to {what}. Type yes: ")
