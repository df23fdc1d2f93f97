"""``everboot ls``"""

from __future__ import annotations

import argparse
from functools import partial

from backup_agent.cli.nodes import node_line, node_record
from backup_agent.cli.session import Session

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a restore point, or latest")
    parser.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="a folder or file in it"
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="with all folders below")
    parser.add_argument("-l", "--long", action="store_true", help="with mode, owner, size and time")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.model.node import NodeKind
    from backup_agent.services.browse import Found, Unreachable, parse_path, show_path
    from backup_agent.services.inside import DeepBrowser

    render = session.render
    damaged = False
    with (
        session.reading() as (repository, reader),
        DeepBrowser(reader, repository.snapshot(args.point), emit=render.emit) as browser,
    ):
        path = parse_path(args.path)
        if args.recursive:
            steps = browser.walk([path] if path else [], deep=True)
        else:
            inside = path
            if path and browser.find(path).kind is not NodeKind.FOLDER:
                inside = path[:-1]
            steps = iter(Found((*inside, n.name), n) for n in browser.list_folder(path))
        for step in steps:
            session.cancel.raise_if_cancelled()
            match step:
                case Unreachable(where, error):
                    damaged = True
                    render.warn(f"{show_path(where)}: {error.message}")
                case Found(where, node, leaving=False) if len(where) > len(path) or where == path:
                    render.list_one(
                        partial(node_record, where, node),
                        partial(node_line, where, node, long=args.long),
                    )
                case _:
                    pass
    return _EXIT_DAMAGED if damaged else 0
