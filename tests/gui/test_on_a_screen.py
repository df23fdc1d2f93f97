"""The program itself on a screen of its own, driven by keys as a person would.

Xvfb is the screen, xdotool the hands; what is to be seen, the window's title tells.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PATIENCE_SECONDS = 120.0
_BETWEEN_LOOKS = 0.2
_TOOLS = ("Xvfb", "xdotool")


@contextmanager
def screen_of_its_own() -> Iterator[str]:
    """The name of a display; the server chooses a free one and says which."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    # Each look of xdotool is a client that leaves; the last one to leave would reset the screen.
    command.append("-noreset")
    server = subprocess.Popen(
        command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@dataclass(frozen=True, slots=True)
class Hands:
    """On the keyboard of that display."""

    display: str

    def key(self, *names: str) -> None:
        """``Tab``, ``alt+n`` and the like."""
        self._do("key", "--delay", "60", *names)

    def type(self, text: str) -> None:
        self._do("type", "--delay", "15", text)

    def title(self) -> str:
        """Of the window that is to be seen; empty before there is one."""
        found = self._ask("search", "--onlyvisible", "--name", "Everboot").split()
        return self._ask("getwindowname", found[0]).strip() if found else ""

    def take(self) -> None:
        """Without a window manager somebody has to give the window the keys."""
        found = self._ask("search", "--onlyvisible", "--name", "Everboot").split()
        self._do("windowfocus", "--sync", found[0])

    def _do(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._environment(), check=True)

    def _ask(self, *arguments: str) -> str:
        return subprocess.run(
            ["xdotool", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self.display}


def until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, f"It never came: {what}"
        time.sleep(_BETWEEN_LOOKS)


@contextmanager
def window(display: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "EVERBOOT_STATE_DIR": str(home / "state"),
        "EVERBOOT_PLANS_FILE": str(home / "settings" / "plans.json"),
        "EVERBOOT_SECRETS": "file",
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "backup_agent", "gui"],
        env=environment,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("tool", _TOOLS)
def test_the_tools_that_stand_in_for_a_person_are_there(tool: str) -> None:
    answer = subprocess.run(["which", tool], stdout=subprocess.DEVNULL, check=False)
    assert answer.returncode == 0, f"Install {tool}: see .dev/debian.py"


def test_a_person_with_a_keyboard_gets_a_deleted_file_back(tmp_path: Path) -> None:
    documents = tmp_path / "Documents"
    documents.mkdir()
    plan = documents / "plan.txt"
    plan.write_text("a roof and four walls")
    snapshots = tmp_path / "backups" / "snapshots"

    with screen_of_its_own() as display, window(display, tmp_path) as process:
        hands = Hands(display)
        until(lambda: hands.title() == "Overview - Everboot", "the window")
        hands.take()

        hands.key("alt+c")  # "Choose": protect some folders; Documents are proposed
        until(lambda: hands.title().startswith("What to back up"), "the first question")
        hands.key("alt+n")
        until(lambda: hands.title().startswith("Where to keep it"), "the second question")
        hands.key("Tab")
        hands.type(str(tmp_path / "backups"))
        hands.key("Tab", "Tab")  # past "Browse"
        hands.type("a long and quiet evening")
        hands.key("Tab")
        hands.type("a long and quiet evening")
        hands.key("Return")
        until(lambda: hands.title().startswith("When to back up"), "the third question")
        hands.key("Return")
        until(lambda: hands.title().startswith("How long to keep"), "the last question")
        hands.key("Return")
        until(lambda: hands.title() == "Activity - Everboot", "the end of the questions")
        until(lambda: snapshots.is_dir() and any(snapshots.iterdir()), "the first restore point")

        plan.unlink()
        hands.key("ctrl+3")
        until(lambda: hands.title().endswith("Restore - Everboot"), "the page")
        until(lambda: hands.title() != "Restore - Everboot", "what the restore point holds")
        hands.key("ctrl+f")
        hands.type("plan.txt")
        hands.key("Return")
        until(lambda: hands.title().startswith("Found"), "what the search finds")
        hands.key("Return")
        until(lambda: hands.title().startswith("Documents"), "the folder of the file")
        hands.key("alt+r")  # "Restore in place"
        hands.key("alt+r")  # "Restore"
        until(plan.exists, "the file")
        assert plan.read_text() == "a roof and four walls"

        hands.key("ctrl+q")
        assert process.wait(timeout=_PATIENCE_SECONDS) == 0
