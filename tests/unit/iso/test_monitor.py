"""Steering QEMU, seen from a monitor that takes its place."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backup_agent.errors import CommandFailedError
from iso_builder.monitor import execute, take_screenshot

Answers = Callable[[str], dict[str, object]]


@pytest.fixture(name="monitor")
def _monitor(tmp_path: Path) -> Iterator[Callable[[Answers], tuple[Path, list[object]]]]:
    threads: list[threading.Thread] = []

    def start(answers: Answers) -> tuple[Path, list[object]]:
        path, told = tmp_path / "monitor", list[object]()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(listener, answers, told))
        thread.start()
        threads.append(thread)
        return path, told

    yield start
    for thread in threads:
        thread.join()


def _serve(listener: socket.socket, answers: Answers, told: list[object]) -> None:
    with listener, listener.accept()[0] as line, line.makefile("rw", encoding="utf-8") as talk:
        talk.write('{"QMP": {"version": {}}}\n')
        talk.flush()
        for text in talk:
            message = json.loads(text)
            told.append(message)
            # News may come at any time.
            talk.write('{"event": "RTC_CHANGE"}\n')
            talk.write(json.dumps(answers(message["execute"])) + "\n")
            talk.flush()


def test_a_screenshot_is_asked_for_as_png(
    monitor: Callable[[Answers], tuple[Path, list[object]]], tmp_path: Path
) -> None:
    path, told = monitor(lambda _: {"return": {}})
    take_screenshot(path, tmp_path / "picture.png")
    assert told == [
        {"execute": "qmp_capabilities", "arguments": {}},
        {
            "execute": "screendump",
            "arguments": {"filename": str(tmp_path / "picture.png"), "format": "png"},
        },
    ]


def test_the_answer_is_told_apart_from_news(
    monitor: Callable[[Answers], tuple[Path, list[object]]],
) -> None:
    path, _ = monitor(lambda command: {"return": {"asked": command}})
    assert execute(path, "query-status", {}) == {"asked": "query-status"}


def test_a_refusal_is_told_in_qemus_words(
    monitor: Callable[[Answers], tuple[Path, list[object]]],
) -> None:
    refusal: dict[str, object] = {"error": {"class": "GenericError", "desc": "no such disk"}}
    path, _ = monitor(lambda command: refusal if command == "eject" else {"return": {}})
    with pytest.raises(CommandFailedError, match="no such disk"):
        execute(path, "eject", {})


def test_a_machine_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError):
        take_screenshot(tmp_path / "nothing", tmp_path / "picture.png")
