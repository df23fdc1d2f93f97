"""``everboot settings``"""

from __future__ import annotations

import argparse
from dataclasses import replace

from backup_agent.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--obey-console",
        action=argparse.BooleanOptionalAction,
        help="whether people at the console may start and stop backups of this device",
    )
    parser.add_argument("--upload", type=int, metavar="KiB/s", help="of all plans; 0: no limit")
    parser.add_argument("--download", type=int, metavar="KiB/s", help="of all plans; 0: no limit")


def run(args: argparse.Namespace, session: Session) -> int:
    """Change what was given, and show what holds."""
    from backup_agent.cli.agent_command import desk

    given = {
        "obeys_console": args.obey_console,
        "upload_limit": args.upload,
        "download_limit": args.download,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    with desk(session) as at_desk:
        settings = replace(at_desk.settings(), **changes)
        if changes:
            at_desk.change_settings(settings)
    session.render.show(
        {
            "message_type": "settings",
            "obeys_console": settings.obeys_console,
            "upload_limit": settings.upload_limit,
            "download_limit": settings.download_limit,
        },
        f"Commands from the console: {'obeyed' if settings.obeys_console else 'refused'}\n"
        f"Limits: {_rate(settings.upload_limit)} up, {_rate(settings.download_limit)} down",
    )
    return 0


def _rate(limit: int) -> str:
    return f"{limit:,} KiB/s" if limit else "none"
