"""The one door to other programs."""

from __future__ import annotations

import sys

import pytest

from backup_agent.errors import CommandFailedError, UnsupportedError
from backup_agent.host.command import run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_and_input_pass_untouched() -> None:
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
    assert run(python(code), feed=b"\xffsecret", timeout_seconds=60).output == b"terces\xff"


def test_failure_carries_the_programs_own_words() -> None:
    code = "import sys; sys.exit('the disk is upside down')"
    with pytest.raises(CommandFailedError, match=r"failed \(1\): the disk is upside down"):
        run(python(code), timeout_seconds=60)


def test_failure_without_words_says_so() -> None:
    with pytest.raises(CommandFailedError, match=r"failed \(7\): no message"):
        run(python("raise SystemExit(7)"), timeout_seconds=60)


def test_arguments_are_no_shells_business() -> None:
    arguments = [*python("import sys; print(sys.argv[1])"), "$(id); *"]
    assert run(arguments, timeout_seconds=60).output == b"$(id); *\n"


def test_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(UnsupportedError, match="no-such-program"):
        run(["no-such-program"], timeout_seconds=60)


def test_program_that_never_ends_is_ended() -> None:
    with pytest.raises(CommandFailedError, match="did not end within"):
        run(python("import threading; threading.Event().wait()"), timeout_seconds=0.2)


def test_messages_come_in_english() -> None:
    code = "import os; print(os.environ['LC_ALL'])"
    assert run(python(code), timeout_seconds=60).output == b"C.UTF-8\n"
