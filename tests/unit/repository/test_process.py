"""Dead or alive: only certainty counts."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from backup_agent.format.lock import ProcessMark
from backup_agent.repository import process
from backup_agent.repository.process import is_dead, is_seen, own_mark


@pytest.fixture
def mark() -> ProcessMark:
    found = own_mark()
    assert found is not None
    return found


def ended() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_this_very_process_lives(mark: ProcessMark) -> None:
    assert not is_dead(os.getpid(), mark)


def test_a_process_that_ended_is_dead(mark: ProcessMark) -> None:
    assert is_dead(ended(), mark)


def test_a_number_that_was_given_out_again_is_another_process(mark: ProcessMark) -> None:
    assert is_dead(os.getpid(), replace(mark, started=mark.started - 1))


def test_a_number_that_no_process_can_have_is_dead(mark: ProcessMark) -> None:
    assert is_dead(1 << 70, mark)


def test_nothing_is_known_of_another_boot_or_container(mark: ProcessMark) -> None:
    assert not is_dead(ended(), replace(mark, space=f"{mark.space} and more"))


def test_nothing_is_known_of_a_process_without_a_mark() -> None:
    assert not is_dead(ended(), None)


def test_a_process_that_is_hidden_from_us_is_not_dead(
    mark: ProcessMark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_started", lambda _pid: None)
    assert not is_dead(os.getpid(), mark)


def test_a_process_of_another_user_is_not_dead(
    mark: ProcessMark, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not is_dead(os.getpid(), mark)


def test_a_proc_of_another_namespace_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)
    assert own_mark() is None


def test_a_process_is_seen_where_its_number_is_taken_and_nothing_speaks_against_it(
    mark: ProcessMark,
) -> None:
    assert is_seen(os.getpid(), mark)
    assert is_seen(os.getpid(), None)
    assert not is_seen(os.getpid(), replace(mark, started=mark.started - 1))
    assert not is_seen(os.getpid(), replace(mark, space=f"{mark.space} and more"))
    assert not is_seen(ended(), None)
