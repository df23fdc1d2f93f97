"""``everboot restore``"""

from __future__ import annotations

import argparse
from pathlib import Path

from backup_agent.cli import words
from backup_agent.cli.completeness import tell_omissions
from backup_agent.cli.session import Session

_EXIT_DAMAGED = 1
_EXIT_INCOMPLETE = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a restore point, or latest")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only these, with all below them")
    parser.add_argument(
        "-t", "--target", required=True, type=_folder, metavar="DIR", help="folder to restore into"
    )
    parser.add_argument("--verify", action="store_true", help="read back what was written")


def _folder(text: str) -> Path:
    """``Path`` takes no name for the current folder; in a script it is an unset variable."""
    if not text:
        raise argparse.ArgumentTypeError("no folder is named")
    return Path(text)


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import parse_path
    from backup_agent.services.inside import DeepBrowser
    from backup_agent.services.restore import restore_files

    with (
        session.reading() as (repository, reader),
        DeepBrowser(reader, repository.snapshot(args.point), emit=session.render.emit) as browser,
    ):
        omissions = tell_omissions(browser, session.render)
        result = restore_files(
            reader,
            browser,
            args.target,
            selection=[parse_path(path) for path in args.paths],
            verify=args.verify,
            emit=session.render.emit,
            cancel=session.cancel,
        )
    verified = ", read back and compared" if args.verify else ""
    text = (
        f"Restored {words.count(result.files, 'file')} ({words.size(result.bytes)}) and "
        f"{words.count(result.folders, 'folder')} to {args.target}{verified}."
    )
    if result.damaged:
        text += (
            f"\n{words.count(len(result.damaged), 'item')} could not be restored because the "
            "repository is damaged: everboot check tells more."
        )
    elif result.skipped:
        text += f"\n{words.count(result.skipped, 'item')} could not be restored as recorded."
    session.render.show(
        {
            "message_type": "summary",
            "files_restored": result.files,
            "folders_restored": result.folders,
            "bytes_restored": result.bytes,
            "skipped": result.skipped,
            "damaged": result.damaged,
            "verified": args.verify,
            "omissions": omissions,
        },
        text,
    )
    if result.damaged:
        return _EXIT_DAMAGED
    return _EXIT_INCOMPLETE if result.skipped else 0
