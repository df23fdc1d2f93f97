"""Somebody in front of a machine's screen, with nothing but its keyboard.

What they see of the window, it tells in a file, which is read on the rescue
terminal: the window is the one that people get, the keys come from QEMU. Hands they have for
cables and keys, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from iso_builder.monitor import execute, take_screenshot
from iso_builder.qemu import KEY, NETWORK
from iso_builder.trial import RunningMedium

_LOOK_AGAIN_SECONDS = 1.0
_LOOKS = 600
_BETWEEN_KEYS_SECONDS = 0.3
# Linux keeps ten keys or so for a window that is slow to take them, and drops the rest.
_KEYS_AT_ONCE = 4
_LOOKS_FOR_KEYS = 30
_ATTEMPTS = 3
# On a keyboard as they are sold in the USA: character -> QEMU's name of its key.
_SIGNS = {
    " ": "spc",
    "-": "minus",
    ".": "dot",
    "/": "slash",
    ";": "semicolon",
    "=": "equal",
}
_SHIFTED_SIGNS = {":": "semicolon", "_": "minus", "?": "slash"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the window tells of itself; see ``rescue_media.ui.shown_file``."""

    page: str
    ready: bool
    busy: str
    problem: str
    work: str
    typed: int


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever waits for what does not come fails the test, with what is seen instead."""

    medium: RunningMedium

    def press(self, *keys: str) -> None:
        """One after the other; ``alt-o`` are two at once. By QEMU's names (QKeyCode)."""
        for key in keys:
            held = [{"type": "qcode", "data": name} for name in key.split("-")]
            execute(self.medium.monitor, "send-key", {"keys": held})
            # A keyboard keeps few keys for a computer that is slow to take them.
            self.medium.cancel.wait(_BETWEEN_KEYS_SECONDS)

    def write(self, text: str) -> None:
        """Into the field that has the keys, instead of what stands there."""
        for _ in range(_ATTEMPTS):
            self.press("ctrl-a")
            if self._every_key_arrives(text):
                return
        raise AssertionError(f"keys were lost or doubled, {_ATTEMPTS} times over")

    def _every_key_arrives(self, text: str) -> bool:
        """Waits for the window every few keys, as somebody does who looks at what they type."""
        expected = self.look().typed
        for start in range(0, len(text), _KEYS_AT_ONCE):
            part = text[start : start + _KEYS_AT_ONCE]
            self.press(*map(_key_of, part))
            expected += len(part)
            if self._typed_when(expected) != expected:
                return False
        return True

    def _typed_when(self, expected: int) -> int:
        """How many characters the window has got, as soon as it is that many."""
        typed = 0
        for _ in range(_LOOKS_FOR_KEYS):
            typed = self.look().typed
            if typed >= expected:
                break
            self.medium.cancel.wait(_LOOK_AGAIN_SECONDS)
        return typed

    def until(self, page: str) -> None:
        """That page of ``rescue_media.flow.pages`` is there, and nothing is waited for."""
        self._look_until(lambda seen: seen.page == page and not seen.busy)

    def until_ready(self, page: str) -> None:
        """Until enough is chosen on it to go on."""
        self._look_until(lambda seen: seen.page == page and seen.ready)

    def until_work(self, word: str) -> None:
        """Until what is told of the work that goes on has this word in it."""
        self._look_until(lambda seen: word in seen.work)

    def until_partly_written(self) -> None:
        """Until a quarter of the disk is back, or more."""
        self._look_until(lambda seen: _is_partly_written(seen.work))

    def until_problem(self) -> str:
        """What the page says that went wrong."""
        return self._look_until(lambda seen: bool(seen.problem)).problem

    def _look_until(self, is_there: Callable[[Seen], bool]) -> Seen:
        for _ in range(_LOOKS):
            seen = self.look()
            if is_there(seen):
                return seen
            self.medium.cancel.wait(_LOOK_AGAIN_SECONDS)
        raise AssertionError(f"what was waited for did not come, but {seen}")

    def look(self) -> Seen:
        answer = self.medium.ask("cat /run/everboot/window; echo")
        return Seen(**json.loads(answer[answer.index("{") : answer.rindex("}") + 1]))

    def cut_network(self) -> None:
        """Pull the cable out."""
        execute(self.medium.monitor, "set_link", {"name": NETWORK, "up": False})

    def mend_network(self) -> None:
        """And plug it in again."""
        execute(self.medium.monitor, "set_link", {"name": NETWORK, "up": True})

    def pull_key(self) -> None:
        """The USB key that the machine was started from."""
        execute(self.medium.monitor, "device_del", {"id": KEY})

    def take_picture(self, file: Path) -> None:
        take_screenshot(self.medium.monitor, file.absolute())


def _is_partly_written(work: str) -> bool:
    phase, _, figures = work.partition(" ")
    done, _, total = figures.partition(" of ")
    return phase == "verify" or (phase == "restore" and 4 * int(done) >= int(total))


def _key_of(character: str) -> str:
    if character in _SHIFTED_SIGNS:
        return f"shift-{_SHIFTED_SIGNS[character]}"
    if character in _SIGNS:
        return _SIGNS[character]
    assert character.isascii(), f"no key for {character!r}"
    assert character.isalnum(), f"no key for {character!r}"
    return f"shift-{character.lower()}" if character.isupper() else character
