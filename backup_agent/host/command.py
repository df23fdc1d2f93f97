"""The one door to other programs."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
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


class Conversation:
    """A program that is talked to through its standard input and output, until it is closed.

    Each message goes behind its length (4 bytes, little endian), both ways.
    What the program writes to its standard error is thrown away.
    """

    def __init__(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], largest_message: int
    ) -> None:
        """``environment`` is added to our own. Raises :class:`CommandFailedError`."""
        self._largest = largest_message
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell; arguments are the caller's
                list(arguments),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**_environment(), **environment},
                # ^C is for us to decide on: half a message would be read as a broken program.
                start_new_session=True,
            )
        except OSError as exc:
            raise CommandFailedError(
                f"{arguments[0]} could not be started: {exc.strerror}."
            ) from exc
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._inlet = self._process.stdin.fileno()
        self._outlet = self._process.stdout.fileno()
        self._arrivals = selectors.DefaultSelector()
        self._arrivals.register(self._outlet, selectors.EVENT_READ)

    def send(self, message: bytes | memoryview) -> None:
        """Raises :class:`CommandFailedError` if the program is gone."""
        try:
            self._write(len(message).to_bytes(4, "little"))
            self._write(message)
        except OSError as exc:
            raise CommandFailedError(self._end()) from exc

    def receive(self, *, timeout_seconds: float) -> bytes:
        """The next message. ``timeout_seconds``: the longest silence that is waited for.

        Raises :class:`CommandFailedError`, and ends the program, when it is gone,
        silent, or says more than ``largest_message`` bytes at once.
        """
        size = int.from_bytes(self._read(4, timeout_seconds), "little")
        if size > self._largest:
            self.close()
            raise CommandFailedError(f"It answered with {size:,} bytes at once.")
        return self._read(size, timeout_seconds)

    def hang_up(self) -> None:
        """Nothing more will be sent: the program reads the end of its input. From any thread."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def close(self) -> None:
        """End the program, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._arrivals.close()
        # The numbers may soon be those of other files.
        self._inlet = self._outlet = -1
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _write(self, data: bytes | memoryview) -> None:
        pending = memoryview(data)
        while pending:
            pending = pending[os.write(self._inlet, pending) :]

    def _read(self, size: int, timeout_seconds: float) -> bytes:
        pieces: list[bytes] = []
        while size:
            if not self._arrivals.select(timeout_seconds):
                self.close()
                raise CommandFailedError(f"It said nothing for {timeout_seconds:.0f} seconds.")
            piece = os.read(self._outlet, size)
            if not piece:
                raise CommandFailedError(self._end())
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _end(self) -> str:
        """In which way the program ended, in words."""
        self.close()
        code = self._process.returncode
        if code >= 0:
            return f"It ended by itself ({code})."
        name = signal.Signals(-code).name
        return "It took too long." if name == "SIGXCPU" else f"It was ended by {name}."


def is_installed(program: str) -> bool:
    """Whether :func:`run` would find it."""
    return shutil.which(program, path=_search_path()) is not None


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _search_path(), "LC_ALL": "C.UTF-8"}


def _search_path() -> str:
    return os.pathsep.join(filter(None, (os.environ.get("PATH"), *_SYSTEM_FOLDERS)))
