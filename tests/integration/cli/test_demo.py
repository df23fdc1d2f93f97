"""The demo from the command line: it works, its claims hold, and it notices a bad restore."""

from __future__ import annotations

import json
import mmap
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from backup_agent.services.demo import bringing_back
from backup_agent.services.demo.made_up import random_source
from backup_agent.services.demo.tools import require_tools
from backup_agent.services.demo.windows import write_boot_files, write_windows
from backup_agent.services.restore_disk import DiskRestore, execute_disk_restore
from tests.command_line import Answer, CommandLine
from tests.helpers.disk_images import run_tool

MIB = 1 << 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_tools()
    return tmp_path_factory.mktemp("it's a home")


@pytest.fixture(scope="module")
def demo(home: Path) -> Answer:
    return CommandLine(home).ok("demo", "--json", "--folder", home / "demo")


def step(demo: Answer, name: str) -> dict[str, Any]:
    (record,) = [r for r in demo.of_type("step") if r["name"] == name]
    return record


def test_demo_tells_each_step_and_that_all_is_proved(demo: Answer) -> None:
    steps = demo.of_type("step")
    assert [record["number"] for record in steps] == list(range(1, len(steps) + 1))
    assert step(demo, "check")["points"] == 4
    proved = step(demo, "prove")
    assert (proved["disks"], proved["taken_out"], proved["zip_members"]) == (3, 25, 50)
    assert proved["disk_items"] > 3 * 90
    assert demo.records[-1]["message_type"] == "summary"


def test_second_backups_add_little(demo: Answer) -> None:
    for name, share in (("backup_documents", 0.01), ("backup_disk", 0.08)):
        first, again = step(demo, name), step(demo, f"{name}_again")
        assert 0 < again["bytes_stored"] < share * first["bytes_stored"]


def test_about_one_per_cent_of_the_disk_changes(demo: Answer) -> None:
    changed = step(demo, "change")
    assert 0.005 < changed["bytes_written"] / changed["bytes_total"] < 0.02


def test_page_file_is_left_out_and_said_so(demo: Answer) -> None:
    for name in ("backup_disk", "backup_disk_again"):
        assert step(demo, name)["left_out"] == ["/disks/0/volumes/3/pagefile.sys"]
    page_file = step(demo, "computer")["page_file"]
    assert step(demo, "backup_disk")["bytes_stored"] < 150 * MIB - page_file


def test_stock_restic_sees_the_same_restore_points(demo: Answer) -> None:
    ours = [point["id"] for point in step(demo, "points")["points"]]
    assert step(demo, "restic")["points"] == ours
    assert len(ours) == 4


def test_ntfs_volume_is_browsed_and_taken_from(demo: Answer, home: Path) -> None:
    assert step(demo, "browse_disk")["names"] == ["Desktop", "Documents", "Pictures"]
    taken = step(demo, "take_out")
    pictures = Path(taken["path"] + taken["folder"])
    added = (pictures / "IMG_0024.jpg").read_bytes()
    disk = NtfsVolume(home / "demo" / "computer" / "disk.img", home / "original.ntfs")
    assert added == disk.file("Users/Ada/Pictures/IMG_0024.jpg")
    assert len(list(pictures.iterdir())) == taken["files"] == 25


@pytest.mark.parametrize(
    ("name", "size", "windows_size"),
    [
        ("restore_disk", 694 * MIB, 512 * MIB),
        ("restore_larger", 1024 * MIB, 842 * MIB),
        ("restore_smaller", 480 * MIB, 298 * MIB),
    ],
)
def test_restored_disk_has_its_size_and_so_has_its_file_system(
    demo: Answer, tmp_path: Path, name: str, size: int, windows_size: int
) -> None:
    restored = step(demo, name)
    image = Path(restored["path"])
    assert image.stat().st_size == restored["after"]["size"] == size
    run_tool("sfdisk", "--verify", image)
    volume = NtfsVolume(image, tmp_path / "ntfs")
    assert volume.path.stat().st_size == windows_size
    told = run_tool("ntfsresize", "--info", "--force", "--no-progress-bar", volume.path)
    (held,) = re.findall(r"Current volume size: (\d+) bytes", told)
    # The partition's last sector is no part of it, and it counts whole clusters.
    assert 512 <= windows_size - int(held) <= 4096
    run_tool("ntfsfix", "--no-action", volume.path)


def test_every_command_it_proposes_can_be_pasted(demo: Answer, home: Path) -> None:
    commands = demo.records[-1]["try"]
    assert len(commands) == 6
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "restic":
            run_tool(program, "--no-cache", *arguments)
        else:
            CommandLine(home).ok(*arguments[2:] if arguments[:1] == ["-m"] else arguments)
    (letter,) = (home / "demo" / "restored" / "by-restic").rglob("letter 07.txt")
    assert letter.read_bytes() == (home / "demo/documents/Letters/letter 07.txt").read_bytes()


def test_demo_for_people_is_short_and_fails_when_a_disk_comes_back_different(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def restore_badly(job: DiskRestore, **rest: object) -> None:
        execute_disk_restore(job, **rest)  # type: ignore[arg-type]
        flip_a_byte_of_a_program(job.target)

    monkeypatch.setattr(bringing_back, "execute_disk_restore", restore_badly)
    answer = CommandLine(tmp_path).run("demo", "--folder", tmp_path / "demo")
    assert answer.code == 1
    assert "Files in volume 3 of" in answer.err
    assert "program-00.exe has another sha256" in answer.err
    assert "All proved" not in answer.out
    assert "\n18. And to a smaller one\n" in answer.out
    assert max(map(len, answer.out.replace(str(tmp_path), "").splitlines())) <= 100


def flip_a_byte_of_a_program(image: Path) -> None:
    """Within ``program-00.exe``, found by its first bytes, which are what a seed makes."""
    with open(image, "r+b") as file, mmap.mmap(file.fileno(), 0) as disk:
        place = disk.find(first_bytes_of_a_program())
        assert place > 0
        disk[place] ^= 1


@cache
def first_bytes_of_a_program() -> bytes:
    with TemporaryDirectory() as folder:
        source = random_source(1)
        write_boot_files(Path(folder, "boot"), source)
        write_windows(Path(folder, "windows"), source)
        return Path(folder, "windows/Windows/System32/program-00.exe").read_bytes()[:64]


class NtfsVolume:
    """The Windows volume of a disk image, copied out of it to be looked at by its own tools."""

    def __init__(self, image: Path, path: Path) -> None:
        self.path = path
        table = json.loads(run_tool("sfdisk", "--json", image))["partitiontable"]
        windows = table["partitions"][2]
        with open(image, "rb") as disk, open(path, "wb") as copy:
            disk.seek(windows["start"] * 512)
            copy.write(disk.read(windows["size"] * 512))

    def file(self, path: str) -> bytes:
        return subprocess.run(["ntfscat", self.path, path], capture_output=True, check=True).stdout


def test_demo_refuses_a_second_run_in_its_folder(demo: Answer, home: Path) -> None:
    answer = CommandLine(home).run("demo", "--folder", home / "demo")
    assert answer.code == 1
    assert "--again" in answer.err
