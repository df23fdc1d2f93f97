"""Starting the process that holds a key, and ending it: the console's one door to subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

import console_ui
from backup_agent.errors import EverbootError, WrongPasswordError
from console_ui.unlocked import frames
from console_ui.unlocked.frames import BrokenFrameError
from console_ui.unlocked.messages import Failed, Opening, Ready

_PROCESS = "console_ui.unlocked"
_OPENING_SECONDS = 120
_ENDING_SECONDS = 5
_LARGEST_OPENING = 1 << 20
_LARGE_BYTES = 512 << 10
"""Most blobs of files, and what they are fetched with, are larger."""


class UnlockingFailedError(EverbootError):
    """The vault could not be opened, and not for a wrong password."""

    code = "unlocked.failed"


class UnfitPasswordError(EverbootError):
    """No key of the vault fits the password."""

    code = "unlocked.unfit_password"

    def __init__(self) -> None:
        super().__init__("This password does not open the vault.")


class Processes:
    """Those that this process has started. For several threads."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def start(self, opening: Opening) -> None:
        """Returns when the vault is open. Raises ``UnfitPasswordError``,
        ``UnlockingFailedError``.
        """
        process = _started()
        given_up = threading.Timer(_OPENING_SECONDS, process.kill)
        given_up.start()
        try:
            answer = _opened(process, opening)
        except BaseException:
            _end(process)
            raise
        finally:
            given_up.cancel()
        match answer:
            case Ready():
                with self._lock:
                    self._running[opening.name] = process
                threading.Thread(
                    target=self._await_end,
                    args=(opening.name, process),
                    name=opening.name,
                    daemon=True,
                ).start()
            case Failed(code, message, hint):
                _end(process)
                if code == WrongPasswordError.code:
                    raise UnfitPasswordError
                raise UnlockingFailedError(message, hint=hint)

    def end(self, name: str) -> None:
        """End it if it is one of these, and wait until it is gone."""
        with self._lock:
            process = self._running.pop(name, None)
        if process is not None:
            _end(process)

    def end_all(self) -> None:
        with self._lock:
            names = list(self._running)
        for name in names:
            self.end(name)

    def _await_end(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Take note of one that ends by itself, which is a zombie until then."""
        process.wait()
        with self._lock:
            is_known = self._running.get(name) is process
        if is_known:
            self.end(name)


processes = Processes()
"""Those of this process."""


def _started() -> subprocess.Popen[bytes]:
    """With an environment that holds nothing of the console's: its passwords are among ours."""
    parent = str(Path(console_ui.__file__).parents[1])
    search_path = os.pathsep.join(filter(None, (parent, os.environ.get("PYTHONPATH"))))
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": search_path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        # glibc keeps what threads have freed, and every download has some threads.
        "MALLOC_ARENA_MAX": "2",
        # It learns to keep what was large, too, unless it is told what to give back at once.
        "MALLOC_MMAP_THRESHOLD_": str(_LARGE_BYTES),
    }
    return subprocess.Popen(  # noqa: S603 (no shell; the arguments are ours)
        [sys.executable, "-m", _PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # What is written passes through no buffer that would keep it.
        bufsize=0,
        # A traceback might tell names out of the vault.
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def _opened(process: subprocess.Popen[bytes], opening: Opening) -> Ready | Failed:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        hand_over(process.stdin, opening)
        told = frames.read(process.stdout)
        answer: Ready | Failed = msgspec.msgpack.decode(told, type=Ready | Failed)
    except (OSError, BrokenFrameError, msgspec.MsgspecError) as exc:
        raise UnlockingFailedError(
            "The process that was to open the vault ended or did not answer.",
            hint="Try again. If it happens again, the vault may need more memory than allowed.",
        ) from exc
    return answer


def hand_over(pipe: IO[bytes], opening: Opening) -> None:
    """What was written of the password is wiped here at once; the rest is up to the collector."""
    # Of its full size from the beginning: one that grows leaves copies behind.
    message = bytearray(_LARGEST_OPENING)
    try:
        msgspec.msgpack.Encoder().encode_into(opening, message)
        frames.write(pipe, message)
    finally:
        message[:] = bytes(len(message))


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        # What was not read of it yet is of no use to anybody.
        with suppress(OSError):
            pipe.close()
    try:
        # At the end of its standard input it goes.
        process.wait(_ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
