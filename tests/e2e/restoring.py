"""What people who restore in a browser do again and again, and the device that has backed up."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from tests.command_line import CommandLine
from tests.console.running import RunningConsole
from tests.e2e.browser import Browser


def linked(console: RunningConsole, mira: Browser, home: Path) -> CommandLine:
    """A device that Mira has given a storage location, and approved."""
    mira.open(f"{console.address}/locations/add/folder")
    mira.fill(name="Cellar", folder="office")
    mira.press("Save and test the connection")
    shell = CommandLine(home).having(EVERBOOT_REPOSITORY="")
    device = shell.start("link", console.address, "--json", "--name", "ATELIER-01")
    assert device.stdout is not None
    shown = json.loads(device.stdout.readline())
    mira.open(f"{console.address}/link")
    mira.fill(code=shown["user_code"])
    mira.find("#code").send_keys(Keys.ENTER)
    mira.wait_for_path("/link/answer")
    mira.find("#kind_backup").click()
    mira.press("Approve")
    _out, err = device.communicate(timeout=60)
    assert device.returncode == 0, err.decode()
    return shell


def open_newest(mira: Browser, console: RunningConsole) -> None:
    """Requirements 38 and 39, by the labels that people were promised."""
    mira.open(f"{console.address}/devices")
    mira.press("Restore")
    assert mira.path.endswith("/restore")
    mira.control("other ways to restore").click()
    mira.control("Browse Cloud Storage").click()
    assert "Restore an entire machine" in mira.page
    mira.press("Download files")


def tick(mira: Browser, *names: str) -> None:
    for name in names:
        mira.find(f"input[name=item][aria-label^='{name}']").click()
    mira.wait_for(lambda: f"Selected: {len(names)}" in mira.page, "the count")


def allow_downloads(mira: Browser, folder: Path) -> None:
    folder.mkdir()
    mira.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
    )


def downloaded(mira: Browser, folder: Path, *, button: str = "Download") -> zipfile.ZipFile:
    """Press the button and take what came."""
    for earlier in folder.iterdir():
        earlier.unlink()
    mira.control(button).click()
    mira.wait_for(lambda: bool(list(folder.glob("*.zip"))), "the zip")
    (file,) = folder.glob("*.zip")
    packed = zipfile.ZipFile(file)
    assert packed.testzip() is None
    return packed
