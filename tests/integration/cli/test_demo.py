"""The demo from the command line: it works, its claims hold, and it notices a bad restore."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from backup_agent.services.demo import recipe
from backup_agent.services.restore_disk import DiskRestore, execute_disk_restore
from tests.command_line import Answer, CommandLine
from tests.helpers.disk_images import run_tool


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for tool in ("sfdisk", "mkfs.fat", "mcopy", "mke2fs"):
        run_tool(tool, "-V" if tool in ("mke2fs", "mcopy") else "--help")
    return tmp_path_factory.mktemp("it's a home")


@pytest.fixture(scope="module")
def demo(home: Path) -> Answer:
    return CommandLine(home).ok("demo", "--json", "--folder", home / "demo")


def step(demo: Answer, name: str) -> dict[str, object]:
    (record,) = [r for r in demo.of_type("step") if r["name"] == name]
    return record


def test_demo_tells_each_step_and_that_all_is_proved(demo: Answer) -> None:
    steps = demo.of_type("step")
    assert [record["number"] for record in steps] == list(range(1, len(steps) + 1))
    assert step(demo, "check")["points"] == 4
    proved = step(demo, "prove")
    assert (proved["disks"], proved["zip_members"]) == (2, 40)
    assert demo.records[-1]["message_type"] == "summary"


def test_second_backups_add_little(demo: Answer) -> None:
    for name, share in (("backup_documents", 0.01), ("backup_disk", 0.15)):
        first, again = step(demo, name), step(demo, f"{name}_again")
        assert isinstance(first["bytes_stored"], int)
        assert isinstance(again["bytes_stored"], int)
        assert 0 < again["bytes_stored"] < share * first["bytes_stored"]


def test_about_one_per_cent_of_the_disk_changes(demo: Answer) -> None:
    changed = step(demo, "change")
    assert isinstance(changed["bytes_written"], int)
    assert isinstance(changed["bytes_total"], int)
    assert 0.005 < changed["bytes_written"] / changed["bytes_total"] < 0.02


def test_restored_file_systems_are_whole_in_the_eyes_of_their_own_tools(
    demo: Answer, tmp_path: Path
) -> None:
    paths = step(demo, "restore_disk")["paths"]
    assert isinstance(paths, list)
    for path in map(Path, paths):
        run_tool("sfdisk", "--verify", path)
        (tmp_path / "ext4").write_bytes(path.read_bytes()[49 << 20 : 209 << 20])
        run_tool("e2fsck", "-fn", tmp_path / "ext4")
        assert "vmlinuz" in run_tool("mdir", "-b", "-i", f"{path}@@1M", "::/EFI/everboot-demo")


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
        with open(job.target, "r+b") as file:
            file.seek(100_000_000)
            byte = file.read(1)[0]
            file.seek(100_000_000)
            file.write(bytes([byte ^ 1]))

    monkeypatch.setattr(recipe, "execute_disk_restore", restore_badly)
    answer = CommandLine(tmp_path).run("demo", "--folder", tmp_path / "demo")
    assert answer.code == 1
    assert "has the SHA-256" in answer.err
    assert "All proved" not in answer.out
    assert "\n13. Restore both states of the disk\n" in answer.out
    assert max(map(len, answer.out.replace(str(tmp_path), "").splitlines())) <= 100


def test_demo_refuses_a_second_run_in_its_folder(demo: Answer, home: Path) -> None:
    answer = CommandLine(home).run("demo", "--folder", home / "demo")
    assert answer.code == 1
    assert "--again" in answer.err
