"""``everboot mount``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backup_agent.cli import words
from backup_agent.cli.session import Session

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a restore point, or latest")
    parser.add_argument("folder", metavar="DIR", type=Path, help="an empty folder to show it in")
    parser.add_argument(
        "--allow-other",
        action="store_true",
        help="other users may look, too, as far as owners and modes let them",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.mount import run_mount

    with session.reading() as (repository, reader):
        snapshot = repository.snapshot(args.point)

        def tell() -> None:
            session.render.show(
                {
                    "message_type": "mounted",
                    "point": snapshot.id,
                    "short_id": snapshot.short_id,
                    "folder": str(args.folder),
                },
                f"Restore point {snapshot.short_id} of {words.moment(snapshot.time)} can be read "
                f"at {args.folder}, until ^C here or: fusermount3 -u {args.folder}",
            )
            # Whoever started this in the background waits for these words.
            sys.stdout.flush()

        failures = run_mount(
            reader,
            snapshot,
            args.folder,
            others=args.allow_other,
            on_ready=tell,
            emit=session.render.emit,
            cancel=session.cancel,
        )
    if failures:
        session.render.warn(f"{words.count(failures, 'failure')} while it was mounted, see above.")
    return _EXIT_DAMAGED if failures else 0
