"""Restore points made to harm: commands refuse them or survive, and nothing leaves the target."""

from __future__ import annotations

import signal
import zipfile
from pathlib import Path

import pytest
from msgspec import structs

from tests.command_line import Answer, CommandLine
from tests.integration.cli.hostile import Forger, above, symlink

EIB = 1 << 60


@pytest.fixture
def forger(used: CommandLine) -> Forger:
    return Forger(used)


def restore(used: CommandLine, point: str) -> Answer:
    """Into a folder two levels down, so that ``..`` would be seen beside it."""
    target = used.home / "outer" / "target"
    before = outside(used)
    answer = used.run("restore", point, "--target", target)
    assert outside(used) == before
    return answer


def outside(used: CommandLine) -> set[Path]:
    """Everything in the home but for what is restored and the repository's own files."""
    spared = (used.home / "outer" / "target", used.repository)
    return {
        path
        for path in used.home.rglob("*")
        if path.name != "outer" and not any(path.is_relative_to(folder) for folder in spared)
    }


@pytest.mark.parametrize(
    "name", [b"..", b".", b"/etc/x", b"../x", b"a/../../x", b"x\0y", b""], ids=repr
)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_name_that_is_no_file_name_is_refused(
    used: CommandLine, forger: Forger, name: bytes, kind: str
) -> None:
    inner = forger.file(b"inner")
    node = forger.file(name) if kind == "file" else forger.folder(name, [inner])
    point = forger.commit([forger.file(b"!before"), node, forger.file(b"~after")])
    answer = restore(used, point)
    assert answer.code == 1
    assert "no file name" in answer.err
    target = used.home / "outer" / "target"
    assert sorted(path.name for path in target.rglob("*")) == ["!before", "~after"]
    zipped = used.run("zip", point, "-o", used.home / "outer" / "x.zip")
    assert zipped.code == 1
    assert not (used.home / "outer" / "x.zip").exists()
    for listing in (("ls", "-R", point), ("find", "*", "--point", point)):
        answer = used.run(*listing)
        assert answer.code in (0, 1)
        assert "\0" not in answer.out


def test_two_entries_of_one_name_are_refused_by_restore_and_kept_apart_in_a_zip(
    used: CommandLine, forger: Forger
) -> None:
    point = forger.commit([forger.file(b"same", b"one"), forger.file(b"same", b"two")])
    answer = restore(used, point)
    assert answer.code == 1
    assert "two entries" in answer.err
    (first,) = (used.home / "outer" / "target").iterdir()
    assert first.read_text() == "one"
    target = used.home / "x.zip"
    if used.run("zip", point, "-o", target).code == 0:
        with zipfile.ZipFile(target) as archive:
            assert len(set(archive.namelist())) == 2


def test_two_files_of_one_inode_number_are_told_apart_by_their_content(
    used: CommandLine, forger: Forger
) -> None:
    """An inode's number is given anew, and two devices may have the same one."""
    nodes = [
        structs.replace(forger.file(name, content), links=2, inode=7, device_id=3)
        for name, content in ((b"a", b"one"), (b"b", b"two"), (b"c", b"one"))
    ]
    assert restore(used, forger.commit(nodes)).code == 0
    target = used.home / "outer" / "target"
    assert [(target / name).read_text() for name in "abc"] == ["one", "two", "one"]
    assert (target / "c").samefile(target / "a")


def test_list_of_omissions_is_restored_only_if_asked_for(used: CommandLine, forger: Forger) -> None:
    inner = forger.folder(b".everboot", [forger.file(b"theirs")])
    own = forger.folder(b".everboot", [forger.file(b"omissions.jsonl")])
    point = forger.commit([own, forger.folder(b"home", [inner])])
    back = used.home / "back"
    assert "1 file" in used.ok("restore", point, "--target", back).out
    assert [path.name for path in back.iterdir()] == ["home"]
    assert (back / "home" / ".everboot" / "theirs").exists()
    used.ok("restore", point, "/.everboot/omissions.jsonl", "--target", back)
    assert (back / ".everboot" / "omissions.jsonl").exists()


@pytest.mark.parametrize("target", [b"..", b"/tmp", b"../../documents"])
def test_symlink_and_folder_of_one_name_lead_nowhere(
    used: CommandLine, forger: Forger, target: bytes
) -> None:
    trap = [symlink(b"way", target), forger.folder(b"way", [forger.file(b"out.txt")])]
    answer = restore(used, forger.commit([*trap, forger.file(b"~after")]))
    assert answer.code == 1
    assert not Path("/tmp/out.txt").exists()
    names = {path.name for path in (used.home / "outer" / "target").iterdir()}
    assert names == {"way", "~after"}


def test_symlink_that_stood_in_the_target_before_is_not_followed(
    used: CommandLine, forger: Forger
) -> None:
    target = used.home / "outer" / "target"
    target.mkdir(parents=True)
    (target / "way").symlink_to(used.home / "documents")
    point = forger.commit([forger.folder(b"way", [forger.file(b"out.txt")])])
    restore(used, point)
    assert not (used.home / "documents" / "out.txt").exists()


@pytest.mark.parametrize("content", [b"", b"little"])
def test_absurd_size_costs_the_file_and_nothing_else(
    used: CommandLine, forger: Forger, content: bytes
) -> None:
    """One EiB that is not there would fill the target with a file of zeros nobody backed up."""
    point = forger.commit([forger.file(b"good", b"good"), forger.file(b"huge", content, size=EIB)])
    answer = restore(used, point)
    assert answer.code == 1
    assert "its size says" in answer.err
    target = used.home / "outer" / "target"
    assert [path.name for path in target.iterdir()] == ["good"]
    assert used.run("zip", point, "-o", used.home / "x.zip").code == 1
    assert f"{EIB:,}" in used.ok("ls", "-l", point).out


def test_size_smaller_than_the_content_is_refused(used: CommandLine, forger: Forger) -> None:
    point = forger.commit([forger.file(b"liar", b"long content", size=3)])
    assert restore(used, point).code == 1
    assert used.run("zip", point, "-o", used.home / "x.zip").code == 1
    assert not (used.home / "x.zip").exists()


def test_folder_three_thousand_levels_deep_is_restored(used: CommandLine, forger: Forger) -> None:
    tree = forger.tree([forger.file(b"bottom", b"deep")])
    for _ in range(3000):
        tree = forger.tree([above(b"d", tree)])
    point = forger.commit(tree)
    answer = used.ok("find", "bottom", "--point", point)
    assert answer.out.count("/d") == 3000
    assert used.ok("ls", "-R", point).out.count("\n") == 3001
    used.ok("zip", point, "-o", used.home / "x.zip")
    restored = used.ok("restore", point, "--target", used.home / "deep")
    assert "1 file" in restored.out
    assert "3,000 folders" in restored.out
    remove_deep(used.home / "deep")
    used.ok("check", "--read-data")


def remove_deep(folder: Path) -> None:
    """Deeper than a path can name: taken apart from the top, a level at a time."""
    below = folder / "d"
    while below.exists():
        spare = folder / "e"
        below.rename(spare)
        if not (spare / "d").exists():
            break
        (spare / "d").rename(folder / "d")
        spare.rmdir()


def unfolding(forger: Forger) -> str:
    """A tree of ten times the same tree, a hundred levels: 10^100 files out of a few KiB."""
    tree = forger.tree([forger.file(b"x", b"x")])
    for _ in range(100):
        tree = forger.tree([above(b"%d" % n, tree) for n in range(10)])
    return forger.commit(tree)


def test_tree_that_unfolds_without_end_is_checked_and_pruned_once_each(
    used: CommandLine, forger: Forger
) -> None:
    point = unfolding(forger)
    used.ok("check", "--read-data")
    used.ok("diff", point, point)
    used.ok("forget", point, "--prune")
    used.ok("check", "--read-data")


@pytest.mark.parametrize("command", ["ls", "restore", "zip", "find"])
def test_tree_that_unfolds_without_end_can_be_cancelled_and_takes_no_memory(
    used: CommandLine, forger: Forger, command: str
) -> None:
    point = unfolding(forger)
    arguments = {
        "ls": ("ls", "-R", point),
        "find": ("find", "x", "--point", point),
        "restore": ("--json", "restore", point, "--target", used.home / "back"),
        "zip": ("zip", point, "-o", "-"),
    }[command]
    with used.start(*arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        # It is at work once it has written this much; there would be no end to it.
        process.stdout.read(200 if command == "restore" else 200_000)
        peak_mib = highest_memory_mib(process.pid)
        process.send_signal(signal.SIGINT)
        news = process.stdout.read()[-1000:].decode("utf-8", "replace")
        errors = process.stderr.read().decode()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert command != "restore" or "run the same command again" in errors + news
    assert list((used.repository / "locks").iterdir()) == []
    assert peak_mib < 400


def highest_memory_mib(pid: int) -> int:
    """Of the program alone: the operating system's other count knows its parent's, too."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) >> 10
