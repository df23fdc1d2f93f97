"""^C in the middle of a backup: exit 130, no restore point, no lock, and the next run works."""

from __future__ import annotations

import json
import random
import signal
import threading
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.unit.storage.web_server import Answer, Request, web_server

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


@pytest.mark.parametrize("hanging", ["POST", "POST and DELETE"])
def test_interrupt_does_not_wait_for_a_server_that_hangs(used: CommandLine, hanging: str) -> None:
    noise = used.home / "noise"
    noise.write_bytes(random.Random(1).randbytes(40_000_000))
    reached, go_on, unlocked = threading.Event(), threading.Event(), threading.Event()

    def answer(request: Request) -> Answer:
        if request.path.startswith("/data/") and request.method == "POST":
            reached.set()
            go_on.wait(50)
        if request.method == "DELETE":
            if request.method in hanging:
                go_on.wait(50)
            if request.path.startswith("/locks/"):
                unlocked.set()
        return _serve(used.repository, request)

    with web_server(answer) as host:
        away = used.having(EVERBOOT_REPOSITORY=f"rest:http://{host}/")
        with away.start("--json", "--no-cache", "backup", noise) as process:
            try:
                assert reached.wait(30)
                process.send_signal(signal.SIGINT)
                # Far less than the minute after which a silent server is given up.
                assert process.wait(40) == 130
            finally:
                go_on.set()
        # The server, a thread beside this one, has only now been let go on.
        assert unlocked.wait(30)


def _serve(repository: Path, request: Request) -> Answer:
    """As little of the REST protocol as a backup needs; of what is saved only locks are kept."""
    _, folder, *rest = request.path.split("/")
    name = rest[0] if rest else ""
    file = repository / folder / (f"{name[:2]}/{name}" if name and folder == "data" else name)
    if request.method == "POST":
        if folder == "locks":
            file.write_bytes(request.body)
        return Answer()
    if request.method == "DELETE":
        file.unlink()
        return Answer()
    if request.path.endswith("/"):
        found = [f for f in file.rglob("*") if f.is_file()]
        listed = [{"name": f.name, "size": f.stat().st_size} for f in found]
        kind = {"Content-Type": "application/vnd.x.restic.rest.v2"}
        return Answer(body=json.dumps(listed).encode(), headers=kind)
    if not file.is_file():
        return Answer(404)
    whole = file.read_bytes()
    if "Range" not in request.headers:
        return Answer(body=whole)
    first, _, last = request.headers["Range"].removeprefix("bytes=").partition("-")
    return Answer(206, body=whole[int(first) : int(last) + 1 if last else None])
