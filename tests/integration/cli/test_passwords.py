"""How a password gets in: by file, variable or terminal, and never by an argument."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.command_line import PASSWORD, CommandLine


def test_password_comes_from_a_file(model: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    shell = model.having(EVERBOOT_PASSWORD="wrong")
    assert shell.run("points", "--password-file", file).code == 0
    assert shell.having(EVERBOOT_PASSWORD_FILE=str(file)).run("points").code == 0
    assert shell.having(RESTIC_PASSWORD_FILE=str(file)).run("points").code == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00"])
def test_password_file_that_holds_none_is_refused(
    model: CommandLine, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    answer = model.run("points", "--password-file", file)
    assert answer.code == 1
    assert str(file) in answer.err


@pytest.mark.parametrize("name", ["missing", "."])
def test_password_file_that_cannot_be_read_is_named(
    model: CommandLine, tmp_path: Path, name: str
) -> None:
    answer = model.run("points", "--password-file", tmp_path / name)
    assert answer.code == 1
    assert str(tmp_path / name) in answer.err


def test_without_a_password_and_a_terminal_it_says_how_to_give_one(model: CommandLine) -> None:
    answer = model.having(EVERBOOT_PASSWORD="").spawn("points")
    assert answer.code == 1
    assert "--password-file" in answer.err
    assert "EVERBOOT_PASSWORD" in answer.err


@pytest.mark.parametrize("option", ["--password", "--password=x", "-p"])
def test_no_option_takes_a_password(model: CommandLine, option: str) -> None:
    assert model.run("points", option, PASSWORD).code == 1


def test_password_is_in_no_output_and_no_file(used: CommandLine) -> None:
    shell = used.having(EVERBOOT_PASSWORD="wrong-s3cret")
    answer = shell.run("points", "--json")
    assert "wrong-s3cret" not in answer.out + answer.err
    files = [path for path in used.home.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_terminal_is_asked_and_does_not_show_the_password(model: CommandLine) -> None:
    code, shown = converse(model.having(EVERBOOT_PASSWORD=""), ["points"], [PASSWORD])
    assert code == 0
    assert f"Password of {model.repository}:" in shown
    assert PASSWORD not in shown


def test_wrong_password_on_a_terminal_is_exit_12(model: CommandLine) -> None:
    code, shown = converse(model.having(EVERBOOT_PASSWORD=""), ["points"], ["wrong"])
    assert code == 12
    assert "wrong" not in shown


def test_new_password_typed_twice_differently_makes_no_repository(shell: CommandLine) -> None:
    code, shown = converse(shell.having(EVERBOOT_PASSWORD=""), ["init"], ["one", "other"])
    assert code == 1
    assert "differ" in shown
    assert not (shell.repository / "config").exists()


def test_new_password_typed_twice_opens_the_repository(shell: CommandLine) -> None:
    asked = shell.having(EVERBOOT_PASSWORD="")
    assert converse(asked, ["init"], ["typed", "typed"])[0] == 0
    assert shell.having(EVERBOOT_PASSWORD="typed").run("points").code == 0


def test_empty_new_password_is_refused(shell: CommandLine) -> None:
    code, _ = converse(shell.having(EVERBOOT_PASSWORD=""), ["init"], ["", ""])
    assert code == 1
    assert not (shell.repository / "config").exists()


def converse(shell: CommandLine, arguments: list[str], answers: list[str]) -> tuple[int, str]:
    """Run on a terminal of its own and type one answer at each colon; (exit code, screen)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.command(*arguments),
        env=shell.environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = b""
    waiting = [*answers]
    try:
        while chunk := _read(ours):
            screen += chunk
            if waiting and screen.rstrip(b" ").endswith(b":"):
                os.write(ours, waiting.pop(0).encode() + b"\n")
        code = process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    text = screen.decode()
    assert "Traceback" not in text, text
    return code, text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # Linux says so when the other end is closed.
        return b""
