"""Disks by the command line: backed up, listed, planned, restored, refused."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.helpers.disk_images import MIB, make_disk, place


@pytest.fixture
def image(used: CommandLine) -> Path:
    path = make_disk(used.home / "disk.img", 8 * MIB, "label: gpt\nstart=1MiB, size=4MiB\n")
    place(path, 2 * MIB, random.Random(1).randbytes(2 * MIB))
    return path


@pytest.fixture
def with_disk(used: CommandLine, image: Path) -> CommandLine:
    used.ok("backup", "--disk", image)
    return used


def test_disk_comes_back_identical_and_is_listed_as_a_disk(
    with_disk: CommandLine, image: Path
) -> None:
    points = with_disk.ok("points", "--json").of_type("point")
    assert [point["kind"] for point in points] == ["files", "files", "disk"]
    assert "disk" in with_disk.ok("points").out.splitlines()[-1]
    target = with_disk.home / "back.img"
    answer = with_disk.ok(
        "restore-disk", points[-1]["id"], "--map", f"disk0={target}", "--yes", "--verify"
    )
    assert "read back and compared" in answer.out
    assert target.read_bytes() == image.read_bytes()


def test_dry_run_prints_the_plan_and_writes_nothing(with_disk: CommandLine) -> None:
    target = with_disk.home / "back.img"
    arguments = ("restore-disk", "latest", "--map", f"disk0={target}", "--dry-run")
    assert str(target) in with_disk.ok(*arguments).out
    (plan,) = with_disk.ok("--json", *arguments).records
    assert (plan["message_type"], plan["target"]) == ("plan", str(target))
    assert len(plan["actions"]) > 1
    assert not target.exists()


def test_plan_shows_both_layouts_as_a_picture_and_as_json(with_disk: CommandLine) -> None:
    target = with_disk.home / "larger.img"
    with open(target, "wb") as file:
        file.truncate(16 * MIB)
    arguments = ("restore-disk", "latest", "--map", f"disk0={target}", "--dry-run", "--grow")
    text = with_disk.ok(*arguments).out
    assert "as it was: 8.0 MiB, GPT, sectors of 512 bytes" in text
    assert "as it will be: 16.0 MiB, GPT, sectors of 512 bytes" in text
    assert [line for line in text.splitlines() if line.strip().startswith("....|1")]
    assert "Nothing grows" in text
    (plan,) = with_disk.ok("--json", *arguments).records
    assert (plan["before"]["size"], plan["after"]["size"]) == (8 * MIB, 16 * MIB)
    (volume,) = plan["after"]["volumes"]
    assert (volume["number"], volume["start"], volume["size"]) == (1, MIB, 4 * MIB)
    assert target.stat().st_blocks == 0


def test_picture_shows_the_extended_partition_around_the_logical_ones(used: CommandLine) -> None:
    layout = (
        "label: dos\nstart=1MiB, size=2MiB, type=83\nstart=3MiB, size=4MiB, type=5\n"
        "start=4MiB, size=2MiB, type=83\n"
    )
    image = make_disk(used.home / "logical.img", 8 * MIB, layout)
    used.ok("backup", "--disk", image)
    target = used.home / "back.img"
    arguments = ("restore-disk", "latest", "--map", f"disk0={target}", "--dry-run")
    shown = [line.split() for line in used.ok(*arguments).out.splitlines()]
    numbers = [line[0] for line in shown if line[1:2] == ["from"]]
    assert numbers == ["1", "2", "5", "1", "2", "5"]
    (plan,) = used.ok("--json", *arguments).records
    extended = plan["after"]["extended"]
    assert (extended["number"], extended["start"], extended["size"]) == (2, 3 * MIB, 4 * MIB)
    single = used.ok(
        "--json", "restore-disk", "latest", "--map", f"disk0/volume5={target}", "--dry-run"
    )
    assert single.records[0]["after"]["extended"] is None


def test_question_names_the_target_and_anything_but_yes_leaves_it(
    with_disk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = with_disk.home / "back.img"
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "y"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", answer)
    done = with_disk.run("restore-disk", "latest", "--map", f"disk0={target}")
    assert (done.code, target.exists()) == (130, False)
    assert str(target) in asked[0]
    assert "8.0 MiB" in asked[0]


def test_scratch_folder_that_is_not_there_is_refused_before_the_question(
    with_disk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda _question: pytest.fail("it asked"))
    target = with_disk.home / "back.img"
    nowhere = with_disk.home / "nowhere"
    done = with_disk.run("restore-disk", "latest", "--map", f"disk0={target}", "--scratch", nowhere)
    assert (done.code, target.exists()) == (1, False)
    assert f"--scratch {nowhere} is no folder" in done.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_single_volume_is_restored_to_a_file_of_its_own(
    with_disk: CommandLine, image: Path
) -> None:
    target = with_disk.home / "volume.img"
    with_disk.ok("restore-disk", "latest", "--map", f"disk0/volume1={target}", "--yes")
    assert target.read_bytes() == image.read_bytes()[MIB : 5 * MIB]


def test_two_maps_to_one_target_are_refused(with_disk: CommandLine) -> None:
    target = with_disk.home / "back.img"
    maps = ("--map", f"disk0={target}", "--map", f"disk0/volume1={target}")
    answer = with_disk.run("restore-disk", "latest", *maps, "--yes")
    assert answer.code == 1
    assert "the target of two maps" in answer.err
    assert not target.exists()


def test_two_names_of_one_target_are_refused(with_disk: CommandLine, image: Path) -> None:
    target, other = with_disk.home / "back.img", with_disk.home / "other.img"
    target.write_bytes(b"old")
    other.hardlink_to(target)
    maps = ("--map", f"disk0={target}", "--map", f"disk0/volume1={other}")
    answer = with_disk.run("restore-disk", "latest", *maps, "--yes", "--overwrite")
    assert (answer.code, target.read_bytes()) == (1, b"old")
    assert "the target of two maps" in answer.err


def test_end_of_a_restore_repeats_which_volume_was_left_out(used: CommandLine) -> None:
    table = "label: dos\nstart=1MiB, size=2MiB, type=7\nstart=5MiB, size=2MiB, type=27\n"
    image = make_disk(used.home / "windows.img", 8 * MIB, table)
    place(image, MIB, random.Random(1).randbytes(2 * MIB))
    place(image, 5 * MIB, random.Random(2).randbytes(2 * MIB))
    used.ok("backup", "--disk", image)
    for number in (1, 2):
        with open(used.home / f"smaller{number}.img", "wb") as file:
            file.truncate(4 * MIB)
    arguments = ("restore-disk", "latest", "--yes", "--map")
    done = used.ok(*arguments, f"disk0={used.home / 'smaller1.img'}")
    assert "But volume 2 (unknown) was LEFT OUT" in done.out.splitlines()[-1]
    answer = used.ok("--json", *arguments, f"disk0={used.home / 'smaller2.img'}")
    (summary,) = answer.of_type("summary")
    left_out = [{"volume": 2, "content": "unknown", "size": 2 * MIB}]
    assert (summary["left_out"], summary["gaps"]) == (left_out, [])


@pytest.mark.parametrize("source", ["disk", "volume1", "disk0/", "disk0/volume", "disk0/volumex"])
def test_source_that_names_nothing_is_refused(with_disk: CommandLine, source: str) -> None:
    target = with_disk.home / "back.img"
    answer = with_disk.run("restore-disk", "latest", "--map", f"{source}={target}", "--yes")
    assert answer.code == 1
    assert "names neither a disk nor a volume" in answer.err


def test_image_inside_the_repository_is_refused(with_disk: CommandLine) -> None:
    target = with_disk.repository / "data" / "disk.img"
    answer = with_disk.run("restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    assert answer.code == 1
    assert "inside the repository" in answer.err
    assert not target.exists()


def test_writing_without_yes_and_without_a_terminal_is_refused(with_disk: CommandLine) -> None:
    target = with_disk.home / "back.img"
    answer = with_disk.spawn("restore-disk", "latest", "--map", f"disk0={target}")
    assert answer.code == 1
    assert "--yes" in answer.err
    assert not target.exists()


def test_image_that_exists_is_replaced_only_when_told_to(
    with_disk: CommandLine, image: Path
) -> None:
    target = with_disk.home / "back.img"
    target.write_text("precious")
    arguments = ("restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    assert with_disk.run(*arguments).code == 1
    assert target.read_text() == "precious"
    with_disk.ok(*arguments, "--overwrite")
    assert target.read_bytes() == image.read_bytes()


def test_disk_that_the_point_does_not_hold_is_refused(with_disk: CommandLine) -> None:
    answer = with_disk.run(
        "restore-disk", "latest", "--map", f"disk7={with_disk.home / 'x.img'}", "--yes"
    )
    assert answer.code == 1
    assert "disks/7" in answer.err


def test_second_backup_of_a_changed_disk_adds_only_the_change(
    with_disk: CommandLine, image: Path
) -> None:
    place(image, 2 * MIB + 100, b"changed")
    answer = with_disk.ok("--json", "backup", "--disk", image)
    (summary,) = answer.of_type("summary")
    assert 0 < summary["data_added"] < 2 * MIB


def test_disks_shows_the_volumes_of_an_image(used: CommandLine, image: Path) -> None:
    (disk,) = used.ok("--json", "disks", image).of_type("disk")
    assert (disk["table"], disk["size"], len(disk["volumes"])) == ("gpt", 8 * MIB, 1)
    assert (disk["image"], disk["backup_refused"], disk["restore_refused"]) == (True, "", "")
    assert {"used_bytes", "mounted_at", "label", "serial"} <= disk["volumes"][0].keys()
    shown = used.ok("disks", image).out
    assert "GPT" in shown
    assert "volume1" in shown
    assert "refused" not in shown


def test_damaged_disk_ends_its_restore_and_the_target_is_left_without_a_table(
    with_disk: CommandLine, image: Path
) -> None:
    packs = (with_disk.repository / "data").glob("*/*")
    newest = max(packs, key=lambda pack: (pack.stat().st_size > MIB, pack.stat().st_mtime_ns))
    newest.chmod(0o644)
    with open(newest, "r+b") as file:
        file.seek(MIB)
        file.write(b"damage")
    target = with_disk.home / "back.img"
    answer = with_disk.run("restore-disk", "latest", "--map", f"disk0={target}", "--yes")
    assert answer.code == 1
    assert newest.name in answer.err
    assert target.read_bytes().startswith(b"EVERBOOT RESTORING")
    assert not any(target.read_bytes()[512:MIB])


def test_check_says_of_each_disk_restore_point_whether_it_is_whole(
    with_disk: CommandLine,
) -> None:
    answer = with_disk.ok("check", "--json")
    (point,) = answer.of_type("disk_point")
    assert (point["whole"], point["disks"]) == (True, 1)
    assert point["volumes"] == [
        {"path": "/disk0/volume1", "file_system": "unknown", "opens": None, "problem": ""}
    ]
    assert "1 disk with 1 volume, every block is there" in with_disk.ok("check").out
    assert "1 disk with 1 volume, whole" in with_disk.ok("check", "--read-data").out
