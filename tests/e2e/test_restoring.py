"""Restoring in a browser: from a device's backup to its bytes on the person's computer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.command_line import PASSWORD
from tests.console.running import RunningConsole, running_console
from tests.e2e.browser import Browser, set_up
from tests.e2e.flaws import flaws_of
from tests.e2e.restoring import allow_downloads, downloaded, linked, open_newest, tick
from tests.helpers.small_computer import SmallComputer, make_small_computer

pytestmark = pytest.mark.usefixtures("weak_keys")

LETTER = "Dear Till, all is well"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[RunningConsole]:
    root = tmp_path / "vaults"
    root.mkdir()
    with running_console(tmp_path, "--storage-root", str(root)) as running:
        yield running


def test_files_and_files_inside_a_disk_come_back_through_the_browser(
    console: RunningConsole, mira: Browser, tmp_path: Path
) -> None:
    computer = make_small_computer(tmp_path, "windows-gpt")
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "Dear Till.txt").write_text(LETTER)
    set_up(mira, console.set_up_link)
    shell = linked(console, mira, tmp_path)
    shell.ok("init")
    shell.ok("backup", letters)
    shell.ok("backup", "--disk", computer.image)
    downloads = tmp_path / "downloads"
    allow_downloads(mira, downloads)

    open_newest(mira, console)
    the_password_is_asked_for(mira)
    look_into_the_disk(mira, downloads, computer)
    search_and_preview_the_letter(mira, downloads, letters)
    no_page_is_cut_off_faint_or_mute(mira)
    lock_and_be_asked_again(mira)


def the_password_is_asked_for(mira: Browser) -> None:
    assert "forgotten after 15 minutes without use" in mira.page
    mira.fill(password="not this one")
    mira.press("Unlock")
    assert "This password does not open the vault." in mira.page
    mira.fill(password=PASSWORD)
    mira.press("Unlock")
    assert "Unlocked for this session." in mira.page


def look_into_the_disk(mira: Browser, downloads: Path, computer: SmallComputer) -> None:
    mira.press("Disk 1")
    mira.press("Windows")
    tick(mira, "file.bin")
    packed = downloaded(mira, downloads)
    content = packed.read("disk0/volume3/file.bin")
    assert hashlib.sha256(content).hexdigest() == computer.hashes[3]


def search_and_preview_the_letter(mira: Browser, downloads: Path, letters: Path) -> None:
    mira.press("ATELIER-01")
    mira.find("select#point").send_keys(Keys.END)
    mira.press("Download files")
    mira.find("#words").send_keys("dear", Keys.ENTER)
    mira.wait_for(lambda: "/found/" in mira.path, "hits")
    assert "dear" not in mira.path
    assert flaws_of(mira) == []
    mira.press("Dear Till.txt")
    assert LETTER in mira.page
    packed = downloaded(mira, downloads)
    name = str(letters / "Dear Till.txt").lstrip("/")
    assert packed.read(name) == (letters / "Dear Till.txt").read_bytes()


def no_page_is_cut_off_faint_or_mute(mira: Browser) -> None:
    base = mira.driver.current_url.partition("/preview/")[0]
    overview = base.rpartition("/")[0]
    sheet = overview.replace("/restore", "/recovery-sheet")
    flaws: dict[str, list[str]] = {}
    for page in (mira.driver.current_url, f"{base}/files", sheet, f"{overview}/unlock", overview):
        mira.open(page)
        if found := flaws_of(mira):
            flaws[page] = found
    assert flaws == {}


def lock_and_be_asked_again(mira: Browser) -> None:
    mira.press("lock now")
    assert "Unlocked for this session." not in mira.page
    mira.press("Download files")
    assert mira.find("#password").get_attribute("value") == ""
