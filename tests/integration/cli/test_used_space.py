"""By the command line: what of a disk was left out, on purpose or not, is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB
from tests.helpers.volumes import make_file_system, mounted_ntfs, read_ntfs

LEFT_OUT = "/disks/0/volumes/0/pagefile.sys"


@pytest.fixture
def windows(used: CommandLine, tmp_path: Path) -> Path:
    """An undivided disk with an NTFS volume, a page file in it."""
    image = make_file_system(used.home / "disk.img", 32 * MIB, "mkntfs", "-qfF")
    with mounted_ntfs(image, tmp_path / "mounted") as mounted:
        (mounted / "pagefile.sys").write_bytes(b"p" * MIB)
        (mounted / "letter.txt").write_text("Dear reader")
    return image


def test_left_out_page_file_is_named_by_backup_and_by_points(
    used: CommandLine, windows: Path
) -> None:
    (summary,) = used.ok("backup", "--disk", windows, "--json").of_type("summary")
    assert (summary["left_out"], summary["omissions"]) == ([LEFT_OUT], 0)
    assert f"Left out on purpose: {LEFT_OUT}" in used.ok("backup", "--disk", windows).out
    point = used.ok("points", "--json").of_type("point")[-1]
    assert (point["left_out"], point["complete"]) == ([LEFT_OUT], True)
    assert f"left out: {LEFT_OUT}" in used.ok("points").out


def test_include_all_leaves_nothing_out(used: CommandLine, windows: Path) -> None:
    used.ok("backup", "--disk", windows, "--include-all")
    point = used.ok("points", "--json").of_type("point")[-1]
    assert point["left_out"] == []
    target = used.home / "back.img"
    used.ok("restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    assert read_ntfs(target, "pagefile.sys") == b"p" * MIB


def test_volume_that_is_stored_whole_is_told_with_the_reason(
    used: CommandLine, windows: Path
) -> None:
    with open(windows, "r+b") as file:
        file.write(bytes(512))
    notices = used.ok("backup", "--disk", windows, "--json").of_type("notice")
    assert "boot sector is broken" in str(notices)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--machine", "--disk", "HOME/disk.img"), "every fixed disk"),
        (("--machine", "HOME/documents"), "make two"),
        (("--include-all", "HOME/documents"), "are for disks"),
        (("--machine", "--exclude", "x"), "nothing to exclude"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    used: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    answer = used.run("backup", *(text.replace("HOME", str(used.home)) for text in arguments))
    assert answer.code == 1
    assert words in answer.err
