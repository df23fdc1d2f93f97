"""What a browser makes of damage: a download that breaks off, a picture that is none."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import PASSWORD
from tests.console.running import RunningConsole, running_console
from tests.e2e.browser import Browser, set_up
from tests.e2e.flaws import flaws_of
from tests.e2e.restoring import allow_downloads, downloaded, linked, open_newest, tick

pytestmark = pytest.mark.usefixtures("weak_keys")

LARGE_BYTES = 24 << 20
NO_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)
NOTES = "Ask Till about the roof"
THE_REST = "Download the rest without it"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "vaults"
    made.mkdir()
    return made


@pytest.fixture
def console(tmp_path: Path, root: Path) -> Iterator[RunningConsole]:
    with running_console(tmp_path, "--storage-root", str(root)) as running:
        yield running


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Their folder's name is the first in the restore point, and so are those above it."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "large.bin").write_bytes(random.Random(3).randbytes(LARGE_BYTES))
    (folder / "notes.txt").write_text(NOTES)
    (folder / "roof.png").write_bytes(NO_PICTURE)
    return folder


def test_a_damaged_file_is_named_and_the_rest_is_had_without_it(
    console: RunningConsole, mira: Browser, root: Path, documents: Path, tmp_path: Path
) -> None:
    set_up(mira, console.set_up_link)
    shell = linked(console, mira, tmp_path)
    shell.ok("init")
    shell.ok("backup", documents)
    damage_large_packs(root)
    downloads = tmp_path / "downloads"
    allow_downloads(mira, downloads)
    open_newest(mira, console)
    mira.fill(password=PASSWORD)
    mira.press("Unlock")
    for name in documents.parts[1:]:
        mira.press(name)
    folder = mira.driver.current_url

    the_picture_that_is_none_is_said_to_be(mira)
    mira.open(folder)
    tick(mira, "large.bin", "notes.txt")
    the_zip_breaks_off_and_the_page_names_the_file(mira, downloads)
    the_rest_comes_and_names_what_it_lacks(mira, downloads, documents)
    the_next_download_tries_everything_again(mira)


def damage_large_packs(root: Path) -> None:
    """Late in each, where only the large file is."""
    packs = [each for each in root.glob("**/data/**/*") if each.is_file()]
    for pack in packs:
        size = pack.stat().st_size
        if size > 4 << 20:
            with open(pack, "r+b") as file:
                file.seek(size * 3 // 4)
                file.write(bytes(64))


def the_picture_that_is_none_is_said_to_be(mira: Browser) -> None:
    mira.press("roof.png")
    mira.wait_for(lambda: "This browser cannot show the picture" in mira.page, "the words")
    assert not mira.find("[data-picture]").is_displayed()


def the_zip_breaks_off_and_the_page_names_the_file(mira: Browser, downloads: Path) -> None:
    mira.control("Download").click()
    mira.wait_for(lambda: THE_REST in mira.page, THE_REST)
    assert "large.bin is damaged in the restore point." in mira.page
    assert list(downloads.glob("*.zip")) == []
    assert flaws_of(mira) == []


def the_rest_comes_and_names_what_it_lacks(mira: Browser, downloads: Path, documents: Path) -> None:
    packed = downloaded(mira, downloads, button=THE_REST)
    where = str(documents).lstrip("/")
    *_folders, notes, left_out = packed.namelist()
    assert (notes, left_out) == (f"{where}/notes.txt", "Left out of this zip.txt")
    assert packed.read(notes) == (documents / "notes.txt").read_bytes()
    assert "large.bin: it is damaged" in packed.read(left_out).decode()
    mira.wait_for(lambda: "a list in the zip names it" in mira.page, "the state")
    assert THE_REST not in mira.page


def the_next_download_tries_everything_again(mira: Browser) -> None:
    """Only whoever presses that button does without: the same selection is whole otherwise."""
    mira.control("Download").click()
    mira.wait_for(lambda: THE_REST in mira.page, THE_REST)
