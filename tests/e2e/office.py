"""A console in which there is something on every page, and its owner's browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.console.live_office import LiveOffice, fill
from tests.console.running import running_console
from tests.e2e.browser import Browser, browser, enrol, set_up


@dataclass(frozen=True, slots=True)
class Office:
    """``address`` is http://localhost:PORT; ``secret`` is that of the owner's authenticator."""

    address: str
    browser: Browser
    secret: str
    filled: LiveOffice

    def open(self, path: str) -> Browser:
        self.browser.open(f"{self.address}{path}")
        return self.browser

    def speak(self, language: str) -> None:
        """Choose a language where everybody can: at the foot of a page without navigation."""
        self.open("/nothing-here")
        if self.browser.find("html").get_attribute("lang") != language:
            self.browser.find(f"button[lang={language}]").click()
            self.browser.wait_for(
                lambda: self.browser.find("html").get_attribute("lang") == language, language
            )


@contextlib.contextmanager
def running_office(folder: Path) -> Iterator[Office]:
    """Everything under ``folder``."""
    root = folder / "vaults"
    root.mkdir()
    with (
        running_console(folder, "--storage-root", str(root)) as console,
        browser(folder / "chromium") as made,
    ):
        set_up(made, console.set_up_link)
        secret, _codes = enrol(made)
        yield Office(console.address, made, secret, fill(console.data, root, console.address))
