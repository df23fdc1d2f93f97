"""The leash that CI runs on: it ends in time and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

LEASH = Path(__file__).resolve().parents[2] / ".dev" / "leash.py"

DETACH = """
import subprocess, sys
subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True
)
"""
"""Leaves a process behind, in a session of its own, as a server does."""


def leash(code: str, *, minutes: float = 10, grace: float = 0) -> subprocess.CompletedProcess[str]:
    """Run Python ``code`` on the leash.

    Everything the code starts inherits its output pipe, so ``run`` returns
    only when all of that is gone: a survivor shows as a timeout here.
    """
    options = ("--minutes", str(minutes), "--grace", str(grace))
    return subprocess.run(
        [sys.executable, LEASH, *options, "--", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_own_exit_code_comes_through() -> None:
    assert leash("print('done')").returncode == 0
    assert leash("raise SystemExit(7)").returncode == 7


def test_a_command_that_runs_too_long_is_stopped_with_all_it_started() -> None:
    ended = leash(f"{DETACH}\nimport signal; signal.pause()", minutes=0.01)
    assert ended.returncode == 124
    assert "Still running after 0.01 minutes" in ended.stderr


def test_a_process_left_behind_is_named_ended_and_counts_as_failure() -> None:
    ended = leash(DETACH)
    assert ended.returncode == 125
    assert "Left running" in ended.stderr
    assert "signal.pause()" in ended.stderr


def test_a_failure_is_not_hidden_by_a_process_left_behind() -> None:
    assert leash(f"{DETACH}\nraise SystemExit(7)").returncode == 7


def test_stopping_the_leash_stops_what_it_holds() -> None:
    code = f"{DETACH}\nprint('ready', flush=True)\nimport signal; signal.pause()"
    with subprocess.Popen(
        [sys.executable, LEASH, "--minutes", "10", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
    ) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "ready\n"
        held.send_signal(signal.SIGTERM)
        assert held.stdout.read() == ""
    assert held.returncode == 128 + signal.SIGTERM
