"""``everboot demo``"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, assert_never

from backup_agent.cli import words
from backup_agent.cli.session import Session

if TYPE_CHECKING:
    from backup_agent.services.demo.outcome import Outcome
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
                **asdict(outcome),
            },
            "\n".join(f"{_INDENT}{line}" for line in [*_told(outcome), f"({seconds:.1f} s)"]),
        )
    _farewell(demo, session, time.monotonic() - began)
    return 0


def _told(outcome: Outcome) -> Iterator[str]:
    from backup_agent.services.demo import outcome as of

    match outcome:
        case of.Made(path, size, files):
            if files:
                yield f"{words.count(files, 'file')}, {words.size(size)}: letters, photos,"
                yield "a sparse file, odd names, links, odd modes and times."
            else:
                yield f"A disk image of {words.size(size)} with a GPT: an EFI partition (FAT),"
                yield "and Linux (ext4) with programs, logs and a database."
            yield words.printable(path)
        case of.Created(repository, _, password_file):
            yield words.printable(repository)
            yield f"Its password is in {words.printable(password_file)}"
        case of.Changed(edited, added, deleted, written, total):
            yield f"Edited {edited}, added {added}, deleted {deleted}."
            yield (
                f"The computer wrote {words.size(written)} of its {words.size(total)}: "
                "a new kernel, pages of the database."
            )
        case of.PointMade(point, files, size, _, stored):
            yield f"Restore point {point}: {words.count(files, 'file')}, {words.size(size)}."
            yield f"The repository grew by {words.size(stored)}."
        case of.Listed(points):
            for item in points:
                known = "" if item.bytes is None else words.size(item.bytes)
                yield f"{item.id}  {words.moment(item.time)}  {item.kind:<5}  {known:>10}"
        case of.Browsed(folder, items, pattern, found, differences):
            yield f"{words.printable(folder)} holds {words.count(items, 'item')}."
            yield f"Searching for {pattern} finds {words.count(found, 'item')}."
            yield "What changed between the two backups of the documents:"
            yield from (f"  {words.printable(line)}" for line in differences)
        case of.Zipped(path, size):
            yield f"{words.printable(path)} ({words.size(size)})"
        case of.Restored(paths, size):
            yield f"{words.size(size)}, to"
            yield from map(words.printable, paths)
        case of.Proved(items, disks, members):
            yield f"{words.count(items, 'item')}: same content, mode, owner, time, links."
            yield f"{words.count(disks, 'disk image')}: the same, byte for byte."
            yield f"{words.count(members, 'file')} in the zip: same content."
        case of.Checked(points, packs):
            yield (
                f"{words.count(points, 'restore point')}, {words.count(packs, 'pack')}: "
                "no errors were found."
            )
        case _:
            assert_never(outcome)


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
    latest = demo.backups[-1]
    mine = [*_program(), *where]
    yield "The restore points", join([*mine, "points"])
    yield (
        "The letters in the newest one, with modes and times",
        join([*mine, "ls", "-l", latest.files_point.short_id, f"{scratch.documents}/Letters"]),
    )
    yield (
        "The disk, and the volumes in it",
        join([*_program(), "disks", str(demo.restored_disk(latest))]),
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
    yield (
        "What keeping only the newest would remove",
        join([*mine, "forget", "--keep-last", "1", "--dry-run"]),
    )
    yield (
        "No lock-in: the same with stock restic, which knows nothing of us",
        join(
            [
                *("restic", *where, "restore", latest.files_point.short_id),
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
