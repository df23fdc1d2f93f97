"""Disks that could not be read everywhere: every restore of them says so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backup_agent.errors import IntegrityError
from backup_agent.model.disk import Extent
from backup_agent.services.browse import PointBrowser
from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk, place
from tests.helpers.fake_host import FakeHost

LAYOUT = "label: gpt\nstart=1MiB, size=2MiB\nstart=3MiB, size=2MiB\n"
BAD = Extent(4 * MIB, 8192)
"""In the second volume."""


@pytest.fixture
def image(used: CommandLine) -> Path:
    path = make_disk(used.home / "disk.img", 8 * MIB, LAYOUT)
    place(path, MIB, random.Random(1).randbytes(4 * MIB))
    return path


@pytest.fixture
def incomplete(used: CommandLine, image: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A restore point of a disk with two bad pages."""
    with monkeypatch.context() as patched:
        patched.setattr("backup_agent.host.select.current_host", lambda: FakeHost(bad=[BAD]))
        assert used.run("backup", "--disk", image).code == 3
    return used


def test_disk_that_was_not_read_everywhere_is_planned_and_restored_as_incomplete(
    incomplete: CommandLine, image: Path
) -> None:
    target = incomplete.home / "back.img"
    arguments = ("restore-disk", "latest", "--map", f"disk0={target}")
    planned = incomplete.ok(*arguments, "--dry-run").out
    assert "volume 2 (unknown) is INCOMPLETE, 8192 bytes of it are missing" in planned
    assert f"these are sectors {BAD.start // 512}-{BAD.end // 512 - 1}" in planned
    done = incomplete.run(*arguments, "--yes", "--verify")
    assert done.code == 3
    assert "But volume 2 (unknown) is INCOMPLETE" in done.out.splitlines()[-1]
    expected = bytearray(image.read_bytes())
    expected[BAD.start : BAD.end] = bytes(BAD.size)
    assert target.read_bytes() == expected


def test_gaps_are_told_to_programs(incomplete: CommandLine) -> None:
    target = incomplete.home / "back.img"
    answer = incomplete.run("--json", "restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    for record in (answer.of_type("plan")[0], answer.of_type("summary")[0]):
        (gap,) = record["gaps"]
        assert (gap["volume"], gap["size"]) == (2, BAD.size)


@pytest.mark.parametrize(("volume", "code"), [(1, 0), (2, 3)])
def test_single_volume_lacks_only_what_is_missing_in_it(
    incomplete: CommandLine, volume: int, code: int
) -> None:
    target = incomplete.home / "volume.img"
    answer = incomplete.run(
        "restore-disk", "latest", "--map", f"disk0/volume{volume}={target}", "--yes"
    )
    assert (answer.code, "INCOMPLETE" in answer.out) == (code, code == 3)


def test_disk_whose_table_cannot_be_read_is_saved_and_told_to_be_incomplete(
    used: CommandLine, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = Extent(0, 1024)
    with monkeypatch.context() as patched:
        patched.setattr("backup_agent.host.select.current_host", lambda: FakeHost(bad=[bad]))
        saved = used.run("backup", "--disk", image)
    assert saved.code == 3
    assert "Sector 0 of the disk cannot be read" in saved.err
    assert "1024 bytes could not be read; zeros stand in their place." in saved.err
    target = used.home / "back.img"
    back = used.run("restore-disk", "latest", "--map", f"disk0={target}", "--yes", "--verify")
    assert (back.code, "The whole disk is taken as it is" in back.out) == (3, True)
    assert target.read_bytes() == bytes(bad.size) + image.read_bytes()[bad.size :]
    checked = used.run("check")
    assert checked.code == 0
    assert "disk0: Its partition table was damaged when it was backed up: Sector 0" in checked.out


def test_damaged_list_of_what_is_missing_does_not_pass_for_a_whole_disk(
    incomplete: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_browser: PointBrowser) -> None:
        raise IntegrityError("The list of omissions is damaged.")

    monkeypatch.setattr(PointBrowser, "omissions", damaged)
    target = incomplete.home / "back.img"
    answer = incomplete.run("restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    assert (answer.code, target.exists()) == (3, True)
    assert "cannot be told" in answer.out
