"""Linking a device as a person sees it: from the address on its screen to the list of devices."""

from __future__ import annotations

import json
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from tests.command_line import CommandLine
from tests.console.running import RunningConsole
from tests.e2e.browser import MIRA, Browser, set_up


def test_a_code_typed_after_the_login_links_a_device(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    set_up(mira, console.set_up_link)
    mira.driver.delete_all_cookies()
    device = a_shell(tmp_path).start("link", console.address, "--json", "--name", "ATELIER-01")
    assert device.stdout is not None
    shown = json.loads(device.stdout.readline())

    mira.open(f"{console.address}/ui/#w=agentRegistration")
    mira.wait_for_path("/")
    mira.fill(name=MIRA["email"], password=MIRA["password"])
    mira.press("Continue")
    assert mira.path == "/link"
    mira.fill(code=shown["user_code"].lower())
    mira.find("#code").send_keys(Keys.ENTER)
    mira.wait_for_path("/link/answer")
    for told in ("ATELIER-01", shown["key"], "127.0.0.1", "the same as yours"):
        assert told in mira.page
    mira.press("Approve")
    assert "may go on" in mira.page
    out, err = device.communicate(timeout=60)
    assert device.returncode == 0, err.decode()
    assert json.loads(out)["device_name"] == "ATELIER-01"

    mira.open(f"{console.address}/devices")
    mira.press("ATELIER-01")
    assert shown["key"] in mira.page


def test_a_device_that_was_refused_ends_with_the_reason(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    set_up(mira, console.set_up_link)
    device = a_shell(tmp_path).start("link", console.address, "--json", "--restore-only")
    assert device.stdout is not None
    shown = json.loads(device.stdout.readline())

    mira.open(f"{console.address}/link")
    mira.fill(code=shown["user_code"])
    mira.find("#code").send_keys(Keys.ENTER)
    mira.wait_for_path("/link/answer")

    assert mira.find("#kind_restore").is_selected()
    # Nothing was set up yet, and this is where somebody would wonder later.
    assert "There is no storage location yet" in mira.page
    mira.press("Refuse")
    out, _ = device.communicate(timeout=60)
    assert (device.returncode, json.loads(out)["error"]) == (1, "link.refused")


def a_shell(home: Path) -> CommandLine:
    return CommandLine(home).having(EVERBOOT_REPOSITORY="")
