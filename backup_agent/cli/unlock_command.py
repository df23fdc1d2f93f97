"""``everboot unlock``"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from backup_agent.cli import words
from backup_agent.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--remove-all",
        action="store_true",
        help="remove the locks of runs that may still be alive, too",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.unlock import run_unlock

    with session.opened() as repository:
        removed = run_unlock(repository, every=args.remove_all, now=datetime.now(UTC))
    session.render.show(
        {"message_type": "summary", "removed": removed},
        f"Removed {words.count(removed, 'lock')}.",
    )
    return 0
