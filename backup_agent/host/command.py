"""The one door to other programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backup_agent.errors import CommandFailedError, UnsupportedError

# Debian keeps system tools where only root's PATH looks.
_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")
_MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a program that succeeded wrote."""

    output: bytes
    errors: str


def run(
    arguments: Sequence[str],
    *,
    feed: bytes = b"",
    timeout_seconds: float,
    also_good: Collection[int] = (),
) -> CommandResult:
    """Run a program to its end, without a shell; its messages come in English.

    ``also_good``: exit codes beside 0 that are no failure of this program.
    Arguments can be read by every user of the computer: secrets go through
    ``feed``, the program's standard input.

    Raises :class:`CommandFailedError` with the program's own words, also when
    it takes longer than ``timeout_seconds``, and :class:`UnsupportedError`
    where it is not installed.
    """
    program = arguments[0]
    try:
        done = subprocess.run(  # noqa: S603 - no shell; arguments are the caller's own
            list(arguments),
            input=feed,
            capture_output=True,
            check=False,
            timeout=timeout_seconds,
            env=_environment(),
        )
    except FileNotFoundError as exc:
        raise UnsupportedError(
            f"The program {program} is not on this computer.", hint=f"Install {program}."
        ) from exc
    except subprocess.TimeoutExpired as exc:
        raise CommandFailedError(
            f"{program} did not end within {timeout_seconds:.0f} seconds."
        ) from exc
    except OSError as exc:
        raise CommandFailedError(f"{program} could not be started: {exc.strerror}.") from exc
    errors = done.stderr.decode(errors="replace")
    if done.returncode and done.returncode not in also_good:
        words = (errors.strip() or done.stdout.decode(errors="replace").strip())[-_MOST_WORDS:]
        raise CommandFailedError(f"{program} failed ({done.returncode}): {words or 'no message'}")
    return CommandResult(done.stdout, errors)


def is_installed(program: str) -> bool:
    """Whether :func:`run` would find it."""
    return shutil.which(program, path=_search_path()) is not None


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _search_path(), "LC_ALL": "C.UTF-8"}


def _search_path() -> str:
    return os.pathsep.join(filter(None, (os.environ.get("PATH"), *_SYSTEM_FOLDERS)))
