"""``everboot demo``"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING

from backup_agent.cli import words
from backup_agent.cli.demo_words import record, told
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.demo.recipe import Demo

_INDENT = "    "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("everboot-demo"),
        metavar="DIR",
        help="where it all happens (./everboot-demo)",
    )
    parser.add_argument("--again", action="store_true", help="replace an earlier demo there")


def run(args: argparse.Namespace, session: Session) -> int:
    from backup_agent.services.demo.recipe import Demo

    render = session.render
    began = time.monotonic()
    demo = Demo(args.folder, emit=render.emit, cancel=session.cancel)
    demo.prepare(again=args.again)
    render.say(
        "Everboot protects a small made-up computer. "
        f"All of it happens in\n{words.printable(str(demo.scratch.folder))}"
    )
    for number, step in enumerate(demo.steps(), start=1):
        session.cancel.raise_if_cancelled()
        render.say(f"\n{number:>2}. {step.title}")
        started = time.monotonic()
        outcome = step.do()
        seconds = time.monotonic() - started
        render.show(
            {
                "message_type": "step",
                "number": number,
                "name": step.name,
                "seconds": round(seconds, 3),
                **record(outcome),
            },
            "\n".join(f"{_INDENT}{line}" for line in [*told(outcome), f"({seconds:.1f} s)"]),
        )
    _farewell(demo, session, time.monotonic() - began)
    return 0


def _farewell(demo: Demo, session: Session, seconds: float) -> None:
    commands = list(_to_try(demo))
    shown = "".join(f"\n# {what}\n{command}\n" for what, command in commands)
    session.render.show(
        {
            "message_type": "summary",
            "folder": str(demo.scratch.folder),
            "seconds": round(seconds, 3),
            "try": [command for _, command in commands],
        },
        f"\nAll proved, in {words.duration(seconds)}. What to try next:\n{shown}\n"
        f"# Enough seen?\nrm -r {quote(str(demo.scratch.folder))}",
    )


def _to_try(demo: Demo) -> Iterator[tuple[str, str]]:
    """(what it shows, command to paste)."""
    scratch = demo.scratch
    where = ["-r", str(scratch.repository), "--password-file", str(scratch.password_file)]
    files, disk = demo.newest.files_point.short_id, demo.newest.disk_point.short_id
    program = _program()
    mine = [*program, *where]
    yield (
        "Files inside the NTFS volume, without restoring it",
        join([*mine, "ls", "-l", disk, "/disk0/volume3/Users/Ada/Pictures"]),
    )
    yield (
        "One photo, out of the first backup",
        join(
            [
                *(*mine, "restore", demo.backups[0].files_point.short_id),
                f"{scratch.documents}/Photos/IMG_0007.jpg",
                *("--target", str(scratch.restored / "one-photo")),
            ]
        ),
    )
    yield "The disk that was restored smaller", join([*program, "disks", str(scratch.smaller_disk)])
    yield (
        "What restoring the disk would do, without doing it",
        join(
            [
                *(*mine, "restore-disk", disk, "--dry-run"),
                *("--map", f"disk0={scratch.restored / 'another.img'}"),
            ]
        ),
    )
    yield (
        "What keeping only the newest would remove",
        join([*mine, "forget", "--keep-last", "1", "--dry-run"]),
    )
    yield (
        "No lock-in: the documents with stock restic",
        join(
            [
                *("restic", *where, "restore", files),
                *("--target", str(scratch.restored / "by-restic")),
            ]
        ),
    )


def _program() -> list[str]:
    """How to start us from any shell: by name, or by path where the name is not known."""
    if shutil.which("everboot"):
        return ["everboot"]
    script = Path(sys.executable).with_name("everboot")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "backup_agent"]
