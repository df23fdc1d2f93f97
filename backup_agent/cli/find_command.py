"""``everboot find``"""

from __future__ import annotations

import argparse

from backup_agent.cli import words
from backup_agent.cli.nodes import node_record
from backup_agent.cli.session import Session

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pattern", metavar="PATTERN", help="like *.docx, or with a path: */me/*.txt"
    )
    parser.add_argument("--point", metavar="POINT", default="", help="only in this restore point")
    parser.add_argument("-i", "--ignore-case", action="store_true")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import Unreachable, show_path
    from backup_agent.services.find import NamePattern, find_files
    from backup_agent.services.inside import DeepBrowser

    render = session.render
    pattern = NamePattern(args.pattern, ignore_case=args.ignore_case)
    damaged = False
    with session.reading() as (repository, reader):
        points = [repository.snapshot(args.point)] if args.point else repository.snapshots()
        for snapshot in reversed(points):
            heading = f"Restore point {snapshot.short_id}, {words.moment(snapshot.time)}:"
            with DeepBrowser(reader, snapshot, emit=render.emit) as browser:
                walk = browser.walk_named(pattern.may_fit)
                for step in find_files(walk, pattern, cancel=session.cancel):
                    if isinstance(step, Unreachable):
                        damaged = True
                        render.warn(f"{show_path(step.path)}: {step.error.message}")
                        continue
                    if heading:
                        render.say(heading)
                        heading = ""
                    render.show(
                        {**node_record(step.path, step.node), "snapshot": snapshot.id},
                        f"  {words.printable(show_path(step.path))}",
                    )
    return _EXIT_DAMAGED if damaged else 0
