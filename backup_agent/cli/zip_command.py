"""``everboot zip``"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from backup_agent.cli import words
from backup_agent.cli.completeness import tell_omissions
from backup_agent.cli.session import Session
from backup_agent.errors import TargetError
from backup_agent.model.events import Event, ItemSkipped

_EXIT_INCOMPLETE = 3
_STDOUT = Path("-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("point", metavar="POINT", help="id of a restore point, or latest")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only these, with all below them")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="FILE.zip",
        help="the zip to write; - for standard output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file of that name")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.browse import parse_path
    from backup_agent.services.inside import DeepBrowser
    from backup_agent.services.zip import zip_files

    if args.output == _STDOUT:
        session.data_goes_to_stdout()
    skipped = 0

    def emit(event: Event) -> None:
        nonlocal skipped
        skipped += isinstance(event, ItemSkipped)
        session.render.emit(event)

    with (
        session.reading() as (repository, reader),
        DeepBrowser(reader, repository.snapshot(args.point), emit=session.render.emit) as browser,
    ):
        selection = [parse_path(path) for path in args.paths]
        omissions = tell_omissions(browser, session.render)
        with _output(args.output, overwrite=args.overwrite) as sink:
            zip_files(reader, browser, sink, selection=selection, emit=emit, cancel=session.cancel)
            size = None if args.output == _STDOUT else sink.tell()
    text = "" if size is None else f"Wrote {args.output} ({words.size(size)})."
    if text and skipped:
        text += f"\n{words.count(skipped, 'item')} could not be put into it: see above."
    session.render.show(
        {
            "message_type": "summary",
            "file": str(args.output),
            "size": size,
            "skipped": skipped,
            "omissions": omissions,
        },
        text,
    )
    return _EXIT_INCOMPLETE if skipped else 0


@contextlib.contextmanager
def _output(path: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Standard output, or a file that has its name only once it is whole."""
    if path == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not overwrite:
        raise TargetError(f"{path} exists already.", hint="Name another file, or add --overwrite.")
    partial = path.with_name(f".{path.name}.{token_hex(8)}.part")
    try:
        with open(partial, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as exc:
        raise TargetError(f"{path} cannot be written: {exc.strerror}.") from exc
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()
