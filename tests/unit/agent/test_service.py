"""Plans on the command line, and an agent that keeps them, in a shell of its own."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from tests.command_line import CommandLine


@pytest.fixture
def shell(weak_keys: None, tmp_path: Path) -> CommandLine:
    """With a repository and a folder to back up."""
    made = CommandLine(tmp_path).having(XDG_STATE_HOME=str(tmp_path / "state"))
    made.ok("init")
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "plan.txt").write_text("a roof")
    return made


@contextmanager
def agent(shell: CommandLine) -> Iterator[Popen[bytes]]:
    process = shell.start("agent", "--json")
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines_until(process: Popen[bytes], words: str) -> list[str]:
    """What it says until a message holds these words; it ends by itself, or the test hangs."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.decode())
        if words in said[-1]:
            return said
    raise AssertionError(f"never said {words!r}: {said}")


def test_a_plan_is_added_listed_run_and_removed(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", shell.home / "projects", "--every", "24")

    (listed,) = shell.ok("plan", "list", "--json").of_type("plan")
    assert (listed["name"], listed["every_hours"]) == ("Projects", 24)
    (ran,) = shell.ok("plan", "run", "projects", "--json").of_type("summary")
    (point,) = shell.ok("points", "--json").records
    assert point["id"].startswith(ran["snapshot_id"][:8])
    (status,) = shell.ok("status", "--json").of_type("run")
    assert (status["plan"], status["outcome"]) == ("Projects", "done")
    shell.ok("plan", "remove", "Projects")
    assert shell.ok("plan", "list", "--json").records == []


def test_a_plan_needs_exactly_one_kind_of_source(shell: CommandLine) -> None:
    assert shell.run("plan", "add", "Nothing").code == 1
    assert shell.run("plan", "add", "Both", "/srv", "--machine").code == 1
    shell.ok("plan", "add", "Machine", "--machine")
    assert "already" in shell.run("plan", "add", "machine", "/srv").err


def test_a_run_that_fails_says_why_and_status_keeps_it(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Gone", shell.home / "nowhere")

    answer = shell.run("plan", "run", "Gone", "--json")

    assert answer.code == 1
    (status,) = shell.ok("status", "--json").of_type("run")
    assert status["outcome"] == "failed"
    assert "nowhere" in status["message"]


def test_an_agent_runs_what_is_due_and_ends_when_told(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", shell.home / "projects", "--every", "1")

    with agent(shell) as process:
        said = lines_until(process, "saved.")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)

    assert json.loads(said[0]) == {"message_type": "agent", "plans": 1, "linked": False}
    assert process.returncode == 0
    (status,) = shell.ok("status", "--json").of_type("run")
    assert status["outcome"] == "done"


def test_an_agent_that_waits_is_small_also_after_a_backup(shell: CommandLine) -> None:
    shell.ok("plan", "add", "Projects", shell.home / "projects", "--every", "1")

    with agent(shell) as process:
        lines_until(process, "saved.")
        used = psutil.Process(process.pid).memory_info().rss

    assert used < 60_000_000


def test_a_command_line_reaches_the_agent_that_runs(shell: CommandLine) -> None:
    with agent(shell) as process:
        lines_until(process, "agent")
        shell.ok("plan", "add", "Projects", shell.home / "projects", "--every", "1")
        # Long before the agent looks for new plans by itself.
        lines_until(process, "saved.")
        (state,) = shell.ok("status", "--json").of_type("state")

    assert state["verdict"] == "protected"


def test_a_second_agent_beside_the_first_is_refused(shell: CommandLine) -> None:
    with agent(shell) as process:
        lines_until(process, "agent")
        refused = shell.run("agent")

    assert refused.code == 1
    assert "runs already" in refused.err


def test_an_agent_tells_of_a_run_in_which_its_forerunner_was_killed(shell: CommandLine) -> None:
    with (shell.home / "projects" / "large").open("wb") as large:
        large.truncate(64 << 30)
    shell.ok("plan", "add", "Projects", shell.home / "projects", "--every", "1")
    with agent(shell) as process:
        lines_until(process, "backing up")

    with agent(shell) as process:
        lines_until(process, "broken off")

    *_made_up_for, status = shell.ok("status", "--json").of_type("run")
    assert status["outcome"] == "broken_off"
    assert shell.ok("check").code == 0
