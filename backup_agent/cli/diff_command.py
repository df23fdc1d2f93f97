"""``everboot diff``"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import chain

from backup_agent.cli import words
from backup_agent.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="POINT")
    parser.add_argument("new", metavar="POINT")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import show_path
    from backup_agent.services.diff import Change, diff_points, diff_volumes
    from backup_agent.services.inside import DeepBrowser

    totals: Counter[Change] = Counter()
    with (
        session.reading() as (repository, reader),
        DeepBrowser(reader, repository.snapshot(args.old), emit=session.render.emit) as old,
        DeepBrowser(reader, repository.snapshot(args.new), emit=session.render.emit) as new,
    ):
        for difference in chain(
            diff_points(old, new, cancel=session.cancel),
            diff_volumes(old, new, cancel=session.cancel),
        ):
            totals[difference.change] += 1
            path = show_path(difference.path)
            session.render.show(
                {"message_type": "change", "path": path, "modifier": difference.change.value},
                f"{difference.change.value}  {words.printable(path)}",
            )
    session.render.show(
        {
            "message_type": "statistics",
            **{change.name.lower(): totals[change] for change in Change},
        },
        ", ".join(f"{totals[change]:,} {change.name.lower()}" for change in Change) + ".",
    )
    return 0
