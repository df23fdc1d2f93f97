"""From arguments to a command, and from an error to an exit code."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, Protocol, cast

from backup_agent import __version__
from backup_agent.cli.options import add_common_options, common_options, options_for_failures
from backup_agent.cli.session import Session
from backup_agent.errors import EverbootError, UsageError
from backup_agent.model.cancel import CancelToken

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

EXIT_INTERRUPTED = 130
_EXIT_FAILED = 1

# name -> what it does. A command's module is named like it and loaded only when it runs.
COMMANDS: Mapping[str, str] = {
    "init": "create a repository",
    "backup": "back up files and folders, or whole disks",
    "points": "list restore points",
    "ls": "list what a restore point holds",
    "find": "find files by name",
    "diff": "show what changed between two restore points",
    "restore": "restore files to a folder",
    "mount": "show a restore point as a folder",
    "zip": "put files of a restore point into one zip",
    "restore-disk": "restore a disk, to another size if need be",
    "forget": "remove restore points by rules",
    "prune": "remove data no restore point needs",
    "check": "prove that a repository is whole",
    "repair": "rebuild the index",
    "unlock": "remove locks that crashed runs left",
    "key": "manage the repository's passwords",
    "link": "link this device to a console",
    "plan": "say what this device backs up, where to and when",
    "status": "show whether all is well, and how the last backups went",
    "settings": "what the agent may do, and how fast",
    "diagnostics": "tell somebody who helps what the agent knows, without secrets",
    "agent": "keep the plans, and do what the console asks",
    "disks": "show disks, partitions and volumes",
    "demo": "show the whole main job in a scratch folder",
}


class Command(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, session: Session) -> int:
        """Do it; returns the exit code."""
        ...


class _Parser(argparse.ArgumentParser):
    """An ``argparse`` that fails like everything else here."""

    def error(self, message: str) -> NoReturn:
        from backup_agent.services.repositories import masked

        # It repeats what was typed, and that may be an address in the wrong place.
        message = re.sub(r"[^\s'\"]+", lambda word: masked(word[0]), message)
        raise UsageError(
            f"{message[:1].upper()}{message[1:]}.", hint=f"{self.prog} --help tells how."
        )


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    # Files are looked at by the million, in objects that form no cycles: looking for some among
    # them after every few hundred would be a twentieth of a backup's time.
    gc.set_threshold(100_000, 20, 50)
    try:
        code = _run(arguments)
        # While somebody can still be told; at exit nobody would catch what this raises.
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough (everboot ls … | head).
        sys.stdout = None  # nothing is left to flush at exit
        return _EXIT_FAILED
    return code


def _run(arguments: Sequence[str]) -> int:
    cancel = CancelToken()
    options = options_for_failures(arguments)
    session = Session(environment=os.environ, cancel=cancel, options=options)
    try:
        with _interruptible(cancel):
            name, args = parse(arguments)
            session = Session(environment=os.environ, cancel=cancel, options=common_options(args))
            return _load(name).run(args, session)
    except EverbootError as error:
        session.render.failure(error)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        session.close()


def parse(arguments: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """(command, its arguments). Raises ``UsageError``; prints help and ends when asked for it."""
    parser = _Parser(prog="everboot", description="Backup that boots.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"everboot {__version__}")
    add_common_options(parser, defaults=True)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser
    )
    known = dict(COMMANDS)
    if not known.keys() & set(arguments):
        # Looking for installed commands takes time that every backup would pay.
        known.update({entry.name: _summary(entry) for entry in _other_commands()})
    for name, summary in known.items():
        commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
    args = parser.parse_args(arguments)
    return str(args.command), args


class _CommandParser(_Parser):
    """A command's parser, which asks the command for its arguments once it is the one."""

    _ready = False

    # Untyped, because typeshed overloads it in a way that no override can follow.
    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        if self._ready:
            return super().parse_known_args(args, namespace)
        self._ready = True
        add_common_options(self, defaults=False)
        _load(self.prog.split()[-1]).add_arguments(self)
        # Options may stand before, between and behind the paths.
        return self.parse_known_intermixed_args(args, namespace)


def _load(name: str) -> Command:
    if name in COMMANDS:
        module = importlib.import_module(f"backup_agent.cli.{name.replace('-', '_')}_command")
        return cast(Command, module)
    return cast(Command, next(e for e in _other_commands() if e.name == name).load())


def _other_commands() -> tuple[EntryPoint, ...]:
    """Commands of the other products (console, rescue, iso), which this one does not import."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group="everboot.commands"))


def _summary(command: EntryPoint) -> str:
    """What the first line of its module's docstring says behind the colon."""
    first, _, _ = (command.load().__doc__ or "").partition("\n")
    return first.partition(": ")[2].rstrip(".")


@contextmanager
def _interruptible(cancel: CancelToken) -> Iterator[None]:
    """The first ^C (or TERM) asks the work to stop in good order, the second ends it."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if cancel.cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    signals = [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, stop) for number in signals}
    if hasattr(signal, "SIGHUP"):
        # restic's unlock sends it to whoever holds a lock, to see whether they live.
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
