"""The builder's one door to other programs."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from backup_agent.errors import CommandFailedError, JobCancelledError, UnsupportedError
from backup_agent.model.cancel import CancelToken

_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")
_MOST_WORDS = 2000
_POLL_SECONDS = 0.1


def run(
    arguments: Sequence[str | Path],
    *,
    cancel: CancelToken,
    feed: BinaryIO | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end, without a shell; returns what it wrote to its standard output.

    ``feed`` is its standard input, ``environment`` is added to our own. Raises
    :class:`CommandFailedError` with the program's last words, and
    :class:`JobCancelledError` once cancelled; the program is ended then.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with _started(arguments, feed, output, errors, environment or {}) as process:
            _wait(process, cancel)
        if process.returncode:
            words = (_text(errors).strip() or _text(output).strip())[-_MOST_WORDS:]
            raise CommandFailedError(
                f"{Path(arguments[0]).name} failed ({process.returncode}): {words or 'no message'}"
            )
        return _text(output)


class Machine:
    """A program whose standard output and input are a machine's serial port, until it is closed."""

    def __init__(self, arguments: Sequence[str | Path]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the machine
        self._process = _started(arguments, subprocess.PIPE, subprocess.PIPE, self._errors, {})
        assert self._process.stdout is not None
        self._arrivals = selectors.DefaultSelector()
        self._arrivals.register(self._process.stdout, selectors.EVENT_READ)
        self.heard = ""

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._arrivals.close()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe is not None
            pipe.close()

    def say(self, line: str) -> None:
        """Type a line. Raises :class:`CommandFailedError` if the machine is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\r")
            self._process.stdin.flush()
        except OSError as exc:
            raise CommandFailedError(self._last_words("It ended early")) from exc

    def listen(self, until: str, *, failure: str, limit_seconds: float, cancel: CancelToken) -> str:
        """What comes up to and with ``until``, beginning where the last listening ended.

        Raises :class:`CommandFailedError` if the machine says ``failure`` and
        pauses, ends, or reaches the limit before.
        """
        assert self._process.stdout is not None
        deadline = time.monotonic() + limit_seconds
        while until not in self.heard:
            cancel.raise_if_cancelled()
            if time.monotonic() > deadline:
                raise CommandFailedError(
                    self._last_words(f"It did not say so within {limit_seconds:.0f} seconds")
                )
            if not self._arrivals.select(_POLL_SECONDS):
                # It has said all it wants to say of it.
                if failure in self.heard:
                    raise CommandFailedError(self._last_words("It gave up"))
                continue
            piece = os.read(self._process.stdout.fileno(), 1 << 16)
            if not piece:
                raise CommandFailedError(self._last_words("It ended early"))
            self.heard += piece.decode(errors="replace")
        before, _, self.heard = self.heard.partition(until)
        return before + until

    def _last_words(self, what: str) -> str:
        return f"{what}. Its last words:\n{(_text(self._errors) + self.heard)[-_MOST_WORDS:]}"


def is_installed(program: str) -> bool:
    """Whether :func:`run` would find it."""
    return shutil.which(program, path=_search_path()) is not None


def require(programs: Mapping[str, str], *, purpose: str) -> None:
    """Raise :class:`UnsupportedError` unless all are there (program -> its Debian package)."""
    packages = sorted({programs[name] for name in programs if not is_installed(name)})
    if packages:
        raise UnsupportedError(
            f"{purpose} needs programs that are not on this computer.",
            hint=f"On Debian: apt-get install --no-install-recommends {' '.join(packages)}",
        )


def _started(
    arguments: Sequence[str | Path],
    feed: BinaryIO | int | None,
    output: BinaryIO | int,
    errors: BinaryIO,
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; arguments are the caller's own
            [str(word) for word in arguments],
            bufsize=0,
            stdin=subprocess.DEVNULL if feed is None else feed,
            stdout=output,
            stderr=errors,
            env={**os.environ, "PATH": _search_path(), "LC_ALL": "C.UTF-8", **environment},
            # ^C is for us to decide on: half-made files are removed first.
            start_new_session=True,
        )
    except FileNotFoundError as exc:
        raise UnsupportedError(
            f"The program {arguments[0]} is not on this computer.", hint=f"Install {arguments[0]}."
        ) from exc


def _wait(process: subprocess.Popen[bytes], cancel: CancelToken) -> None:
    try:
        while process.poll() is None:
            cancel.wait(_POLL_SECONDS)
    except JobCancelledError:
        # Not kill: mmdebstrap has mounts to take down.
        process.terminate()
        process.wait()
        raise


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _search_path() -> str:
    return os.pathsep.join(filter(None, (os.environ.get("PATH"), *_SYSTEM_FOLDERS)))
