"""What goes to which stream, and that nothing stored can steer a terminal."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.command_line import Answer, CommandLine

ESCAPE = b"\x1b]0;owned\x07\x1b[2J\rgone.txt"


@pytest.mark.parametrize(
    "arguments",
    [
        ("points",),
        ("ls", "latest"),
        ("ls", "-R", "-l", "latest"),
        ("find", "*.txt"),
        ("restore", "latest", "--target", "TARGET"),
        ("zip", "latest", "-o", "TARGET.zip"),
        ("backup", "TARGET/.."),
        ("init",),
        ("ls", "nothing"),
        ("no-such-command",),
        ("restore", "latest"),
    ],
    ids=" ".join,
)
def test_json_is_one_typed_object_a_line_also_for_failures(
    used: CommandLine, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "target").mkdir()
    filled = [a.replace("TARGET", str(tmp_path / "target" / "x")) for a in arguments]
    answer = used.run("--json", *filled)
    assert answer.records
    if answer.code:
        failure = answer.records[-1]
        assert failure["message_type"] == "exit_error"
        assert failure["code"] == answer.code
        assert failure["message"]
        assert answer.err == ""


def test_diff_as_json_counts_its_changes(model: CommandLine) -> None:
    points = model.ok("points", "--json").of_type("point")
    answer = model.ok("--json", "diff", points[0]["id"], points[1]["id"])
    assert [r["modifier"] for r in answer.of_type("change") if r["path"].endswith("new.txt")] == [
        "+"
    ]
    assert answer.of_type("statistics")[0]["added"] == 1


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_zip_on_standard_output_is_nothing_but_the_zip(
    used: CommandLine, how: tuple[str, ...]
) -> None:
    answer = used.spawn(*how, "zip", "latest", "-o", "-")
    assert answer.code == 0
    with zipfile.ZipFile(io.BytesIO(answer.raw_out)) as archive:
        assert archive.testzip() is None
        assert sum(name.endswith(".txt") for name in archive.namelist()) == 4
    for line in answer.err.splitlines():
        assert json.loads(line)["message_type"]


def test_warnings_about_a_stream_of_data_go_to_standard_error(used: CommandLine) -> None:
    os.mkfifo(used.home / "documents" / "pipe")
    used.ok("backup", used.home / "documents")
    answer = used.spawn("zip", "latest", "-o", "-")
    assert answer.code == 3
    assert "pipe: a zip cannot hold a fifo" in answer.err
    with zipfile.ZipFile(io.BytesIO(answer.raw_out)) as archive:
        assert archive.testzip() is None


def test_a_socket_makes_no_zip_incomplete(used: CommandLine) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(used.home / "documents" / "socket"))
        used.ok("backup", used.home / "documents")
    answer = used.ok("zip", "latest", "-o", used.home / "all.zip")
    assert "socket: a zip cannot hold a socket" in answer.err
    assert "could not be put into it" not in answer.out


def test_a_zip_that_lacks_something_says_how_much(used: CommandLine) -> None:
    os.mkfifo(used.home / "documents" / "pipe")
    used.ok("backup", used.home / "documents")
    answer = used.run("zip", "latest", "-o", used.home / "all.zip")
    assert answer.code == 3
    assert "1 item could not be put into it" in answer.out


def test_file_names_cannot_steer_the_terminal(used: CommandLine) -> None:
    folder = os.fsencode(used.home / "documents")
    with open(os.path.join(folder, ESCAPE), "w") as file:
        file.write("x")
    os.symlink(ESCAPE, os.path.join(folder, b"link"))
    first = used.ok("points", "--json").of_type("point")[0]["id"]
    answers = [
        used.ok("backup", used.home / "documents"),
        used.ok("ls", "-R", "latest"),
        used.ok("ls", "-l", "latest", used.home / "documents"),
        used.ok("find", "*gone*"),
        used.ok("diff", first, "latest"),
        used.run("ls", "latest", os.fsdecode(b"/" + ESCAPE)),
        used.run("ls", os.fsdecode(ESCAPE)),
        used.run("backup", os.fsdecode(ESCAPE)),
        used.run("restore", "latest", "--target", os.fsdecode(b"/proc/" + ESCAPE)),
        used.run(os.fsdecode(ESCAPE)),
        used.run("--repo", os.fsdecode(ESCAPE), "points"),
    ]
    for answer in answers:
        assert_harmless(answer)
    assert any("gone.txt" in answer.out for answer in answers)


def test_successful_work_on_odd_paths_is_shown_harmless(used: CommandLine) -> None:
    odd = used.home / os.fsdecode(ESCAPE)
    odd.mkdir()
    assert_harmless(used.ok("restore", "latest", "--target", odd / "back"))
    assert_harmless(used.ok("zip", "latest", "-o", odd / "x.zip"))
    assert_harmless(used.ok("--repo", odd / "repository", "init"))
    assert_harmless(used.run("disks", odd / "none.img"))


def test_name_that_is_no_utf8_is_shown_and_can_be_restored(used: CommandLine) -> None:
    name = b"caf\xe9.txt"
    with open(os.path.join(os.fsencode(used.home / "documents"), name), "w") as file:
        file.write("x")
    used.ok("backup", used.home / "documents")
    assert "caf\\xe9.txt" in used.ok("ls", "latest", used.home / "documents").out
    wanted = os.fsdecode(os.path.join(os.fsencode(used.home / "documents"), name))
    used.ok("restore", "latest", wanted, "--target", used.home / "back")
    back = os.fsencode(used.home / "back") + os.fsencode(wanted)
    with open(back) as file:
        assert file.read() == "x"


@pytest.mark.parametrize(
    "arguments",
    [("points",), ("ls", "-R", "latest"), ("--json", "points")],
)
def test_reader_that_went_away_causes_no_traceback(
    model: CommandLine, arguments: tuple[str, ...]
) -> None:
    done = run_for_nobody(model, *arguments)
    assert (done.returncode, done.stderr) == (1, b"")


def test_zip_whose_reader_went_away_is_said_to_be_cut_short(model: CommandLine) -> None:
    done = run_for_nobody(model, "zip", "latest", "-o", "-")
    assert done.returncode == 1
    assert done.stderr.startswith(b"everboot: Cannot write the zip: Broken pipe\n")
    assert b"Exception" not in done.stderr


def run_for_nobody(shell: CommandLine, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """With a standard output that nobody reads any more, as after ``| head`` has ended."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            shell.command(*arguments),
            env=shell.environment(),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)


def assert_harmless(answer: Answer) -> None:
    for text in (answer.out, answer.err):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\r" not in text
