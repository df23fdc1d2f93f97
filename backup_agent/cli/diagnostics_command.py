"""``everboot diagnostics``"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from backup_agent.cli.session import Session

_LOG_LINES = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of showing it")


def run(args: argparse.Namespace, session: Session) -> int:
    """State, history and log, for somebody who helps; no secret is in it."""
    from backup_agent.agent.diagnostics import diagnostics
    from backup_agent.agent.log import latest_lines, log_file
    from backup_agent.cli.agent_command import desk

    log = latest_lines(log_file(session.environment), _LOG_LINES)
    with desk(session) as at_desk:
        content = diagnostics(at_desk, log, now=datetime.now().astimezone())
    if args.output is None:
        sys.stdout.write(content.decode() + "\n")
    else:
        args.output.write_bytes(content + b"\n")
        session.render.say(f"Written to {args.output}. Look through it before you send it.")
    return 0
