"""A backup asked for in the page, watched there to its end, and another one stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.agents import linked_shell
from tests.console.live_owner import add_folder
from tests.console.running import RunningConsole, running_console
from tests.e2e.browser import Browser, set_up
from tests.e2e.flaws import flaws_of

pytestmark = pytest.mark.usefixtures("weak_keys")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    with running_console(tmp_path, "--storage-root", str(tmp_path)) as running:
        yield running


def test_a_backup_is_begun_watched_and_stopped_in_the_page(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    set_up(mira, console.set_up_link)
    add_folder(console, tmp_path)

    def approve(code: str) -> None:
        mira.open(f"{console.address}/link")
        mira.fill(code=code)
        mira.press("Continue")
        mira.press("Approve")

    device = linked_shell(tmp_path / "home", console.address, approve)
    with device.agent():
        mira.open(f"{console.address}/devices")
        mira.press("ATELIER-01")
        mira.wait_for(lambda: "Projects" in reloaded(mira), "the plan")
        mira.press("Back up now")
        # From here on nothing is loaded again: the page changes by itself.
        mira.wait_for(lambda: state(mira) == "Protected", "Protected")
        assert "just now" in mira.page

        device.make_backup_endless()
        mira.press("Back up now")
        mira.wait_for(lambda: state(mira) == "Running", "Running")
        mira.wait_for(lambda: "/s" in mira.find("[data-part=last]").text, "its rate")
        assert mira.find("[data-said]").get_attribute("textContent") == "ATELIER-01: Running"
        mira.press("Stop")
        mira.wait_for(lambda: "Stopped" in mira.find("[data-part=last]").text, "Stopped")
        assert state(mira) == "Protected"
        mira.wait_for(lambda: mira.control("Back up now").is_displayed(), "the button")

    assert "Stopped" in reloaded(mira)
    assert flaws_of(mira) == []
    assert len(device.shell.ok("points", "--json").records) == 1


def state(browser: Browser) -> str:
    return browser.find("[data-part=state]").text


def reloaded(browser: Browser) -> str:
    browser.driver.refresh()
    return browser.page
