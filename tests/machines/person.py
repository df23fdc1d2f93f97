"""Somebody in front of a machine's screen, with nothing but its keyboard.

What they see of the window, it tells in a file, which is read on the rescue
terminal: the window is the one that people get, the keys come from QEMU. Hands they have for
cables and keys, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iso_builder.monitor import execute, take_screenshot
from iso_builder.qemu import KEY, NETWORK
from iso_builder.trial import RunningMedium

_LOOK_AGAIN_SECONDS = 1.0
_LOOKS = 600
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
class Person:
    """Whoever waits for a page that does not come fails the test, with the page that did."""

    medium: RunningMedium

    def press(self, *keys: str) -> None:
        """One after the other; ``alt-o`` are two at once. By QEMU's names (QKeyCode)."""
        for key in keys:
            held = [{"type": "qcode", "data": name} for name in key.split("-")]
            execute(self.medium.monitor, "send-key", {"keys": held})

    def write(self, text: str) -> None:
        for character in text:
            self.press(_key_of(character))

    def until(self, *pages: str) -> str:
        """Which of these pages of ``rescue_media.flow.pages`` came, with nothing being waited for.

        A problem that it shows is none: what is waited for may be that.
        """
        seen: dict[str, Any] = {}
        for _ in range(_LOOKS):
            seen = self.look()
            if seen["page"] in pages and not seen["busy"]:
                return str(seen["page"])
            self.medium.cancel.wait(_LOOK_AGAIN_SECONDS)
        raise AssertionError(f"waited for {pages}, but saw {seen}")

    def until_work(self, *words: str) -> str:
        """What is told of the work that goes on, once it has one of these words in it."""
        for _ in range(_LOOKS):
            seen = self.look()
            assert seen["page"] == "Running", f"waited for {words}, but saw {seen}"
            if any(word in seen["work"] for word in words):
                return str(seen["work"])
            self.medium.cancel.wait(_LOOK_AGAIN_SECONDS)
        raise AssertionError(f"waited for {words}, but saw {seen}")

    def until_problem(self) -> str:
        """What the page says that went wrong."""
        for _ in range(_LOOKS):
            if problem := self.look()["problem"]:
                return str(problem)
            self.medium.cancel.wait(_LOOK_AGAIN_SECONDS)
        raise AssertionError("nothing went wrong")

    def look(self) -> dict[str, Any]:
        """``page``, ``busy``, ``problem``, ``work``."""
        answer = self.medium.ask("cat /run/everboot/window; echo")
        found: dict[str, Any] = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
        return found

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


def _key_of(character: str) -> str:
    if character in _SHIFTED_SIGNS:
        return f"shift-{_SHIFTED_SIGNS[character]}"
    if character in _SIGNS:
        return _SIGNS[character]
    assert character.isascii(), f"no key for {character!r}"
    assert character.isalnum(), f"no key for {character!r}"
    return f"shift-{character.lower()}" if character.isupper() else character
