"""Whoever looks into a volume that was not cleanly unmounted is told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk, place, run_tool
from tests.helpers.foreign_volumes import make_empty

WORDS = "was not cleanly unmounted when it was backed up"
LAYOUT = "label: gpt\nstart=1MiB, size=8MiB\nstart=9MiB, size=8MiB\nstart=17MiB, size=8MiB\n"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Volume 1 is NTFS marked for chkdsk, volume 2 an ext4 with a journal to replay, 3 is clean."""
    scratch = tmp_path_factory.mktemp("disk")
    image = make_disk(scratch / "disk.img", 26 * MIB, LAYOUT)
    folder = scratch / "folder"
    folder.mkdir()
    (folder / "file").write_bytes(b"content")
    ntfs = make_empty(scratch / "ntfs", 8 * MIB, "mkntfs", "-Q", "-F")
    run_tool("ntfsfix", ntfs)
    ext = make_empty(scratch / "ext", 8 * MIB, "mkfs.ext4", "-q", "-d", str(folder))
    place(image, MIB, ntfs.read_bytes())
    place(image, 17 * MIB, ext.read_bytes())
    run_tool("debugfs", "-w", "-R", "feature needs_recovery", ext)
    place(image, 9 * MIB, ext.read_bytes())
    return image


@pytest.fixture
def point(used: CommandLine, disk: Path) -> CommandLine:
    used.ok("backup", "--disk", disk)
    return used


@pytest.mark.parametrize("volume", [1, 2])
def test_listing_says_so_once(point: CommandLine, volume: int) -> None:
    answer = point.ok("ls", "latest", "-R", f"/disk0/volume{volume}")
    assert answer.err.count(WORDS) == 1
    assert f"disk0/volume{volume} {WORDS}" in answer.err
    (notice,) = point.ok("ls", "latest", f"/disk0/volume{volume}", "--json").of_type("notice")
    assert WORDS in str(notice["message"])


def test_taking_files_out_says_so_and_gives_them(point: CommandLine) -> None:
    target = point.home / "back"
    answer = point.ok("restore", "latest", "/disk0/volume2/file", "--target", target)
    assert f"disk0/volume2 {WORDS}" in answer.err
    assert (target / "disk0" / "volume2" / "file").read_bytes() == b"content"
    archived = point.ok("zip", "latest", "/disk0/volume2/file", "-o", point.home / "files.zip")
    assert f"disk0/volume2 {WORDS}" in archived.err
    found = point.ok("find", "--point", "latest", "file")
    assert [f"disk0/volume{n} {WORDS}" in found.err for n in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("-F 12", 37, 1),
        ("-F 16", 37, 1),
        ("-F 16", 4 * 512 + 3, 0x7F),
        ("-F 32 -s 1", 65, 1),
        ("-F 32 -s 1", 32 * 512 + 7, 0x07),
    ],
)
def test_fat_that_is_marked_dirty_says_so(
    used: CommandLine, tmp_path: Path, kind: str, place: int, value: int
) -> None:
    """By the boot sector's state, and by the second entry of the table."""
    image = make_empty(tmp_path / "fat.img", 36 * MIB, "mkfs.fat", *kind.split())
    used.ok("backup", "--disk", image)
    assert WORDS not in used.ok("ls", "latest", "/disk0/volume0").err
    with open(image, "r+b") as file:
        reserved = int.from_bytes(image.read_bytes()[14:16], "little")
        file.seek(place if place < 512 else reserved * 512 + place % 512)
        file.write(bytes([value]))
    used.ok("backup", "--disk", image)
    assert f"disk0/volume0 {WORDS}" in used.ok("ls", "latest", "/disk0/volume0").err


def test_clean_volume_needs_no_words(point: CommandLine) -> None:
    assert WORDS not in point.ok("ls", "latest", "-R", "/disk0/volume3").err
    assert WORDS not in point.ok("ls", "latest", "/disk0").err
