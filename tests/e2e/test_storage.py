"""Storage locations and vaults in a real browser."""

from __future__ import annotations

from pathlib import Path

from tests.console.running import RunningConsole, running_console
from tests.e2e.browser import Browser, set_up


def test_from_a_folder_to_a_vault(tmp_path: Path, mira: Browser) -> None:
    root = tmp_path / "vaults"
    root.mkdir()
    with running_console(tmp_path, "--storage-root", str(root)) as console:
        set_up(mira, console.set_up_link)
        mira.open(f"{console.address}/vaults")
        mira.press("Add a location")
        mira.press("S3")
        mira.press("Cancel")
        mira.press("Folder on the console's host")
        mira.fill(name="Cellar", folder="office")
        mira.press("Save and test the connection")
        assert "The connection to Cellar works." in mira.page

        mira.open(f"{console.address}/vaults/add")
        mira.fill(name="Till's PC")
        mira.press("Make the vault")
        assert f"rest:{console.address}/storage/" in mira.page


def test_a_console_without_a_folder_says_how_to_get_one(
    console: RunningConsole, mira: Browser
) -> None:
    set_up(mira, console.set_up_link)

    mira.open(f"{console.address}/locations/add/folder")

    assert "--storage-root" in mira.page
    assert "--storage-root" in console.server.log.read_text()
    assert not mira.driver.find_elements("css selector", "main form input[name=name]")
