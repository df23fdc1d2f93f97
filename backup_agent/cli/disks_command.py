"""``everboot disks``"""

from __future__ import annotations

import argparse

from backup_agent.cli import words
from backup_agent.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="disk images instead of disks")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.inventory import inspect_disks

    return 0
