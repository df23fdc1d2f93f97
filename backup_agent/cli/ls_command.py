"""``everboot ls``"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from backup_agent.cli.nodes import node_line, node_record
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.model.node import Node
    from backup_agent.services.browse import TreePath
    from backup_agent.services.inside import DeepBrowser

_EXIT_DAMAGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a restore point, or latest")
    parser.add_argument(
        "path", nargs="?", default="", metavar="PATH", help="a folder or file in it"
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="with all folders below")
    parser.add_argument("-l", "--long", action="store_true", help="with mode, owner, size and time")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import parse_path
    from backup_agent.services.inside import DeepBrowser

    with (
        session.reading() as (repository, reader),
        DeepBrowser(reader, repository.snapshot(args.point), emit=session.render.emit) as browser,
    ):
        path = parse_path(args.path)
        if args.recursive:
            return _list_all(browser, path, session, long=args.long)
        _list_one_folder(browser, path, session, long=args.long)
    return 0


def _list_one_folder(browser: DeepBrowser, path: TreePath, session: Session, *, long: bool) -> None:
    """What stands in the folder, or the one file."""
    from backup_agent.model.node import NodeKind

    folder = path
    if path and browser.find(path).kind is not NodeKind.FOLDER:
        folder = path[:-1]
    for node in browser.list_folder(path):
        session.cancel.raise_if_cancelled()
        _show((*folder, node.name), node, session, long=long)


def _list_all(browser: DeepBrowser, path: TreePath, session: Session, *, long: bool) -> int:
    from backup_agent.services.browse import Found, Unreachable, show_path

    damaged = False
    for step in browser.walk([path] if path else [], deep=True):
        session.cancel.raise_if_cancelled()
        match step:
            case Unreachable(where, error):
                damaged = True
                session.render.warn(f"{show_path(where)}: {error.message}")
            case Found(where, node, leaving=False) if len(where) > len(path) or where == path:
                _show(where, node, session, long=long)
            case _:
                pass
    return _EXIT_DAMAGED if damaged else 0


def _show(where: TreePath, node: Node, session: Session, *, long: bool) -> None:
    session.render.list_one(
        partial(node_record, where, node), partial(node_line, where, node, long=long)
    )
