"""The tests' one door to subprocess: servers that never outlive the test run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_LAUNCHER = Path(__file__).with_name("launcher.py")
Command: TypeAlias = Sequence[str | Path]

_READY_SECONDS = 90.0
_LOG_TAIL_BYTES = 4000


class ServerFailedError(AssertionError):
    """A server or a command that prepares it failed; the message ends with its log's tail."""


@dataclass(frozen=True, slots=True)
class Server:
    """A started process and where it logs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Ask ``ready`` until it says yes; a server that ends or takes too long fails the test."""
        deadline = time.monotonic() + _READY_SECONDS
        while not ready():
            if self.process.poll() is not None:
                self._fail(f"ended with status {self.process.returncode} before it was ready")
            if time.monotonic() > deadline:
                self._fail(f"was not ready after {_READY_SECONDS:.0f} s")
            time.sleep(0.02)

    def wait_for_port(self, port: int) -> None:
        self.wait_until(lambda: accepts_connections(port))

    def _fail(self, what: str) -> None:
        raise ServerFailedError(f"{self.name} {what}; its log ends:\n{_tail(self.log)}")


@contextlib.contextmanager
def running(
    arguments: Command,
    *,
    folder: Path,
    name: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server for the length of the block, logging to ``folder/NAME.log``.

    It runs in a session of its own, so that ctrl-C reaches only the tests,
    which then end it in order; when the tests are killed, the kernel kills it.
    """
    name = name or Path(arguments[0]).name
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            # Isolated and without site packages, Python starts in a few milliseconds.
            [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), *arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(name, process, log)
    finally:
        # Whatever the server keeps lies in a folder that is thrown away: no need to ask nicely.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(
    arguments: Command,
    *,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = _READY_SECONDS,
) -> str:
    """Run a command that prepares a server; its standard output."""
    name = Path(arguments[0]).name
    try:
        done = subprocess.run(
            arguments,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
        )
    except subprocess.TimeoutExpired as exc:
        raise ServerFailedError(f"{name} did not end in {timeout_seconds:.0f} s") from exc
    if done.returncode != 0:
        raise ServerFailedError(
            f"{name} failed with status {done.returncode}:\n"
            f"{(done.stdout + done.stderr)[-_LOG_TAIL_BYTES:]}"
        )
    return done.stdout


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on just now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def accepts_connections(port: int) -> bool:
    """Whether somebody listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _tail(log: Path) -> str:
    return log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
