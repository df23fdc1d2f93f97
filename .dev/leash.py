"""Run a command that must end in time and leave nothing running behind it.

``python3 .dev/leash.py --minutes 75 -- COMMAND...`` exits with the command's
code; with 124, as ``timeout`` does, when time is up; with 125 when the command
succeeded but processes it had started were still running.

Tests start servers, and some of those make themselves independent of whoever
started them, so no process group holds them all. Linux hands such orphans to
the nearest "child subreaper" among their ancestors (PR_SET_CHILD_SUBREAPER,
prctl(2)); this process declares itself one, and so finds every straggler
among its own children.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

TIMED_OUT = 124
LEFT_PROCESSES = 125

_PR_SET_CHILD_SUBREAPER = 36


def run_leashed(command: list[str], *, limit_seconds: float, grace_seconds: float) -> int:
    """Run ``command`` and return the exit code described above. Linux only."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    running = subprocess.Popen(command)
    try:
        exit_code = running.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        print(f"Still running after {limit_seconds / 60:g} minutes: stopped.", file=sys.stderr)
        return TIMED_OUT
    else:
        stragglers = _stragglers_after(grace_seconds)
        for pid in stragglers:
            print(f"Left running: {_command_line(pid)}", file=sys.stderr)
        return LEFT_PROCESSES if stragglers and exit_code == 0 else exit_code
    finally:
        _kill_all_descendants()


def _stragglers_after(grace_seconds: float) -> list[int]:
    """A server that was just told to stop may take its time; nobody waits where there is none."""
    deadline = time.monotonic() + grace_seconds
    while (children := _living_children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return children


def _kill_all_descendants() -> None:
    """Generation by generation: the children of a killed process become ours in turn."""
    while children := _living_children():
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _living_children() -> list[int]:
    """Bury the children that have ended, then name the others (proc_pid_task_children(5))."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    own_task = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in own_task.read_text().split()]


def _command_line(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return f"process {pid}"
    return b" ".join(words).decode(errors="replace").strip()


def _stop(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an exception, so that the leash is pulled in on the way out."""
    raise SystemExit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command on a leash.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--grace", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    return run_leashed(
        options.command, limit_seconds=options.minutes * 60, grace_seconds=options.grace
    )


if __name__ == "__main__":
    sys.exit(main())
