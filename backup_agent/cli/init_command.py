"""``everboot init``"""

from __future__ import annotations

import argparse

from backup_agent.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repository-version",
        type=int,
        default=2,
        metavar="N",
        help="restic's format version: 2 (the default), or 1, which knows no compression",
    )


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.repositories import create

    repository = create(
        session.access(new=True),
        version=args.repository_version,
        emit=session.render.emit,
        cancel=session.cancel,
    )
    session.render.show(
        {
            "message_type": "initialized",
            "id": repository.config.id,
            "repository": repository.location,
        },
        f"Created repository {repository.config.id[:10]} at {repository.location}.\n"
        "Keep the password safe: without it nobody can read the backups, you included.",
    )
    repository.backend.close()
    return 0
