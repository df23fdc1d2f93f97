"""Storage locations and vaults in a real browser."""

from __future__ import annotations

from pathlib import Path

from tests.console.running import running_console
from tests.e2e.browser import Browser, set_up


def test_from_a_folder_to_a_vault(tmp_path: Path, mira: Browser) -> None:
    root = tmp_path / "vaults"
    root.mkdir()
    with running_console(tmp_path, "--storage-root", str(root)) as console:
        set_up(mira, console.set_up_link)
        mira.open(f"{console.address}/locations")
        mira.control("Add a location").click()
        mira.press("S3")
        mira.open(f"{console.address}/locations/add/folder")
        mira.fill(name="Cellar", folder="office")
        mira.press("Save and test the connection")
        assert "The connection to Cellar works." in mira.page

        mira.open(f"{console.address}/vaults")
        mira.press("Make a vault")
        mira.fill(name="Till's PC")
        mira.press("Make the vault")
        assert f"rest:{console.address}/storage/" in mira.page

        vault = mira.path
        for page in ("/locations", "/locations/add/s3", "/vaults", vault, f"{vault}/bring-back"):
            mira.open(f"{console.address}{page}")
            for width, scale in ((320, 1.0), (640, 2.0)):
                mira.resize(width, 800, scale=scale)
                assert not mira.is_wider_than_its_window(), (page, width)
            mira.resize(1280, 900)
