"""``everboot backup``"""

from __future__ import annotations

import argparse
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from backup_agent.cli import words
from backup_agent.cli.session import Session
from backup_agent.errors import UsageError

if TYPE_CHECKING:
    from backup_agent.services.backup import BackupResult

EXIT_INCOMPLETE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to back up")
    parser.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out what matches, as in .gitignore; may be repeated",
    )
    parser.add_argument(
        "--exclude-file",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="file with such patterns",
    )
    parser.add_argument(
        "--exclude-caches",
        action="store_true",
        help="leave out what lies in folders tagged with CACHEDIR.TAG",
    )
    parser.add_argument(
        "-x", "--one-file-system", action="store_true", help="do not go into other file systems"
    )
    parser.add_argument(
        "--disk",
        action="append",
        default=[],
        metavar="DISK",
        help="back up a whole disk: block device or raw image file; may be repeated",
    )
    parser.add_argument(
        "--machine", action="store_true", help="back up every fixed disk of this computer"
    )
    parser.add_argument(
        "--include-all",
        action="store_true",
        help="of disks, also keep swap and Windows' page file, hibernation and shadow copies",
    )
    parser.add_argument(
        "--allow-mounted",
        action="store_true",
        help="back up a disk although it is in use: files being written may come out torn",
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="TAG",
        help="mark the restore point; may be repeated, or separated by commas",
    )
    parser.add_argument("--host", default="", metavar="NAME", help="instead of this computer's")
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="read everything, write nothing"
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.backup import BackupSettings, run_backup
    from backup_agent.services.repositories import local_folder
    from backup_agent.services.sources import (
        DiskSelection,
        FileSelection,
        Source,
        disks_source,
        files_source,
    )

    _refuse_nonsense(args)
    settings = BackupSettings(
        hostname=args.host,
        tags=tuple(tag for text in args.tag for tag in text.split(",") if tag),
        excludes=tuple(args.exclude),
    )
    with ExitStack() as stack:
        source: Source
        if args.disk or args.machine:
            chosen = disks_source(
                DiskSelection(
                    tuple(args.disk),
                    allow_mounted=args.allow_mounted,
                    include_all=args.include_all,
                    repository=local_folder(session.address()),
                )
            )
            source = stack.enter_context(closing(chosen.source))
            for remark in chosen.remarks:
                session.render.warn(remark)
        else:
            source = files_source(
                FileSelection(
                    paths=tuple(args.paths),
                    excludes=tuple(args.exclude),
                    exclude_files=tuple(args.exclude_file),
                    exclude_caches=args.exclude_caches,
                    one_file_system=args.one_file_system,
                )
            )
        repository = stack.enter_context(session.opened(dry_run=args.dry_run))
        result = run_backup(
            repository, source, settings, emit=session.render.emit, cancel=session.cancel
        )
    _show(result, source.left_out, session, dry_run=args.dry_run)
    return 0 if result.complete else EXIT_INCOMPLETE


def _refuse_nonsense(args: argparse.Namespace) -> None:
    whole = args.disk or args.machine
    if args.disk and args.machine:
        raise UsageError("--machine means every fixed disk: there is no other to name.")
    if not args.paths and not whole:
        raise UsageError(
            "Nothing to back up was named.",
            hint="everboot backup PATH …, or everboot backup --disk DISK",
        )
    if args.paths and whole:
        raise UsageError("Paths and disks do not go into one restore point: make two.")
    for_files = [args.exclude, args.exclude_file, args.exclude_caches, args.one_file_system]
    if whole and any(for_files):
        raise UsageError("A disk is backed up whole: there is nothing to exclude from it.")
    if not whole and (args.include_all or args.allow_mounted):
        raise UsageError("--include-all and --allow-mounted are for disks.")


def _show(
    result: BackupResult, left_out: tuple[str, ...], session: Session, *, dry_run: bool
) -> None:
    summary = result.summary
    seconds = (summary.backup_end - summary.backup_start).total_seconds()
    record = {
        "message_type": "summary",
        **msgspec.to_builtins(summary),
        "total_duration": seconds,
        "omissions": len(result.omissions),
        "left_out": list(left_out),
        "dry_run": dry_run,
    }
    if not dry_run:
        record["snapshot_id"] = result.snapshot.id
    if dry_run:
        outcome = "This was a dry run: nothing was saved."
    elif result.complete:
        outcome = f"Restore point {result.snapshot.short_id} saved."
    else:
        outcome = (
            f"Restore point {result.snapshot.short_id} saved, but it is incomplete: "
            f"{words.count(len(result.omissions), 'problem')} while reading, listed in it as "
            "/.everboot/omissions.jsonl."
        )
    if left_out:
        outcome = (
            f"Left out on purpose: {', '.join(left_out)} (--include-all keeps them).\n{outcome}"
        )
    session.render.show(
        record,
        f"{words.count(summary.total_files_processed, 'file')}, "
        f"{words.size(summary.total_bytes_processed)} in {words.duration(seconds)}: "
        f"{summary.files_new:,} new, {summary.files_changed:,} changed, "
        f"{summary.files_unmodified:,} unchanged.\n"
        f"Added {words.size(summary.data_added)}, {words.size(summary.data_added_packed)} "
        f"after compression.\n{outcome}",
    )
