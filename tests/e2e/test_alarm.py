"""A hostile device, seen from the browser of whoever looks after the backups."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.console.running import REPOSITORY, RunningConsole, running_console
from tests.e2e.browser import Browser, set_up
from tests.e2e.flaws import flaws_of
from tests.restic import restic_client


@dataclass(frozen=True, slots=True)
class Restic:
    """Stock restic on a vault of the console, by an application password."""

    console: RunningConsole
    vault: str
    login: str
    password: str

    def __call__(self, *arguments: str | Path) -> str:
        host = self.console.address.removeprefix("http://")
        address = f"rest:http://{self.login}:{self.password}@{host}/storage/{self.vault}/"
        return subprocess.check_output(
            [restic_client(), "--repo", address, "--no-cache", *arguments],
            env={**os.environ, "RESTIC_PASSWORD": "a repository's password"},
            text=True,
            timeout=300,
        )

    def plunder(self) -> None:
        """Delete all that a device can, behind a key that opens nothing."""
        address = f"{self.console.address}/storage/{self.vault}/"
        with httpx.Client(base_url=address, auth=(self.login, self.password)) as http:
            junk = b'{"a key": "that opens nothing"}'
            http.post(f"keys/{hashlib.sha256(junk).hexdigest()}", content=junk).raise_for_status()
            for kind in ("snapshots", "index", "data", "keys"):
                for name in http.get(f"{kind}/").json():
                    if name != hashlib.sha256(junk).hexdigest():
                        http.delete(f"{kind}/{name}").raise_for_status()


def test_an_alarm_is_shown_the_vault_brought_back_and_the_alarm_confirmed(
    tmp_path: Path, mira: Browser
) -> None:
    root, files = tmp_path / "vaults", tmp_path / "files"
    root.mkdir()
    files.mkdir()
    (files / "letter.txt").write_text("Dear Till")
    with running_console(tmp_path, "--storage-root", str(root)) as console:
        set_up(mira, console.set_up_link)
        restic = Restic(console, *json.loads(_live_vault("make", console, root)).values())
        restic("init")
        restic("backup", files)
        _live_vault("age", console, root)
        restic.plunder()

        mira.open(f"{console.address}/vaults")
        assert "Unusual deletions" in mira.page
        _look(mira, tmp_path, "alarmed")
        vault = f"{console.address}/vaults/{restic.vault}"
        mira.open(vault)
        assert "Restore points were deleted that the retention keeps." in mira.page
        _look(mira, tmp_path, "alarm")
        mira.press("To just before")
        assert "1 restore point comes back" in mira.page
        _look(mira, tmp_path, "plan")
        mira.press("Bring back the vault")
        assert "is being brought back" in mira.page
        mira.wait_for(lambda: _is_back(mira, vault), "the end of bringing back")

        restic("restore", "latest", "--target", tmp_path / "restored")
        assert next((tmp_path / "restored").rglob("letter.txt")).read_text() == "Dear Till"
        restic("check", "--read-data")
        assert "Restore points were deleted" in mira.page
        mira.press("These deletions were meant")
        assert "Restore points were deleted" not in mira.page
        mira.open(f"{console.address}/vaults")
        assert "Unusual deletions" not in mira.page


def _is_back(mira: Browser, vault: str) -> bool:
    mira.open(vault)
    return "but not write" not in mira.page


def _look(mira: Browser, folder: Path, name: str) -> None:
    for width in (320, 1280):
        mira.resize(width, 900)
        mira.driver.save_screenshot(str(folder / f"{name}-{width}.png"))
    assert flaws_of(mira) == [], name


def _live_vault(wish: str, console: RunningConsole, root: Path) -> str:
    return subprocess.check_output(
        [sys.executable, "-m", "tests.console.live_vault", wish, str(console.data), str(root)],
        cwd=REPOSITORY,
        text=True,
    )
