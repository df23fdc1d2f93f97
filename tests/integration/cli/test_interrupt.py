"""^C in the middle of a backup: exit 130, no restore point, no lock, and the next run works."""

from __future__ import annotations

import json
import random
import signal

import pytest

from tests.command_line import CommandLine
from tests.unit.storage.web_server import Answer, web_server

TIB = 1 << 40


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_backup_interrupted_in_the_middle_leaves_all_as_it_was(
    used: CommandLine, number: signal.Signals
) -> None:
    endless = used.home / "endless"
    with open(endless, "wb") as file:
        file.truncate(4 * TIB)
    before = used.ok("points", "--json").out
    with used.start("--json", "backup", endless) as process:
        assert process.stdout is not None
        # It reads that file for an hour; the first news of it is the moment to stop it.
        first = json.loads(process.stdout.readline())
        assert first["message_type"] == "status"
        process.send_signal(number)
        last = json.loads(process.stdout.read().splitlines()[-1])
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 130
    assert (last["message_type"], last["code"]) == ("exit_error", 130)
    assert used.ok("points", "--json").out == before
    assert list((used.repository / "locks").iterdir()) == []
    used.ok("backup", used.home / "documents")


def test_hangup_is_ignored_since_restics_unlock_sends_it(used: CommandLine) -> None:
    endless = used.home / "endless"
    with open(endless, "wb") as file:
        file.truncate(4 * TIB)
    with used.start("--json", "backup", endless) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        assert json.loads(process.stdout.readline())["message_type"] == "status"
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 130


def test_interrupt_does_not_wait_for_the_line_that_a_limit_keeps_busy(used: CommandLine) -> None:
    noise = used.home / "noise"
    noise.write_bytes(random.Random(1).randbytes(40_000_000))
    # At one KiB a second the first pack alone would take hours.
    with used.start("--json", "--limit-upload", "1", "backup", noise) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert list((used.repository / "locks").iterdir()) == []


def test_interrupt_ends_the_pauses_between_tries(used: CommandLine) -> None:
    with web_server(lambda _request: Answer(503)) as host:
        away = used.having(EVERBOOT_REPOSITORY=f"rest:http://{host}/")
        with away.start("--json", "points") as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            assert "Trying again" in first["message"]
            process.send_signal(signal.SIGINT)
            # Not 1, which giving up after the last try would give.
            assert process.wait(60) == 130
