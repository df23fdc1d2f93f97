"""The one door to other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError, UnsupportedError
from backup_agent.host.command import Conversation, run


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


ECHO = """
import os
while head := os.read(0, 4):
    size = int.from_bytes(head, "little")
    body = b""
    while len(body) < size:
        body += os.read(0, size - len(body))
    os.write(1, head + body)
"""


def talk(source: str) -> Conversation:
    return Conversation([sys.executable, "-c", source], environment={}, largest_message=1 << 20)


def test_conversation_carries_messages_of_any_size_both_ways() -> None:
    conversation = talk(ECHO)
    try:
        for message in (b"", b"word", bytes(range(256)) * 4000):
            conversation.send(message)
            assert conversation.receive(timeout_seconds=60) == message
    finally:
        conversation.close()


def test_program_that_keeps_silent_is_ended() -> None:
    conversation = talk("import sys; sys.stdin.read()")
    with pytest.raises(CommandFailedError, match="said nothing"):
        conversation.receive(timeout_seconds=0)
    with pytest.raises(CommandFailedError):
        conversation.send(b"word")


def test_message_larger_than_agreed_ends_the_program() -> None:
    conversation = talk("import os; os.write(1, (2 << 20).to_bytes(4, 'little')); os.read(0, 1)")
    with pytest.raises(CommandFailedError, match="at once"):
        conversation.receive(timeout_seconds=60)


def test_program_that_is_not_there_cannot_be_talked_to(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="could not be started"):
        Conversation([str(tmp_path / "absent")], environment={}, largest_message=1)
