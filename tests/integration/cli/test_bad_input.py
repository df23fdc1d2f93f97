"""Nonsense gets an answer that names it, and exit 1; ``Answer`` refuses every traceback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_line import CommandLine

POINT_MISSING = "No restore point starts"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "COMMAND"),
        (("points", "--no-such-option"), "--no-such-option"),
        (("backup",), "Nothing to back up was named"),
        (("backup", "HOME/documents", "--disk", "HOME/x"), "make two"),
        (("backup", "HOME/missing"), "HOME/missing does not exist"),
        (("backup", "--disk", "HOME/missing"), "HOME/missing"),
        (("backup", "--disk", "HOME/documents"), "HOME/documents"),
        (("backup", "--disk", "HOME/documents/new.txt"), "new.txt"),
        (("backup", "--disk", "HOME/empty"), "HOME/empty"),
        (("backup", "HOME/documents", "--exclude-file", "HOME/missing"), "HOME/missing"),
        (("backup", "HOME/documents", "--exclude-file", "HOME/documents"), "HOME/documents"),
        (("backup", "HOME/documents", "--limit-upload", "-5"), "--limit-upload"),
        (("backup", "HOME/documents", "--limit-upload", "fast"), "fast"),
        (("points", "--limit-download", "1.5"), "1.5"),
        (("points", "--cacert", "HOME/missing", "-r", "rest:https://127.0.0.1:1/"), "HOME/missing"),
        (("ls", "ffffffff"), POINT_MISSING),
        (("ls", ""), POINT_MISSING),
        (("ls", "../../config"), POINT_MISSING),
        (("ls", "latest", "/no/such/path"), "/no/such/path"),
        (("ls", "latest", "HOME/documents/new.txt/below"), "below"),
        (("find",), "PATTERN"),
        (("find", "*", "--point", "ffffffff"), POINT_MISSING),
        (("diff", "latest"), "POINT"),
        (("diff", "latest", "ffffffff"), POINT_MISSING),
        (("restore", "latest"), "--target"),
        (("restore", "latest", "--target", ""), "no folder is named"),
        (("restore", "latest", "--target="), "no folder is named"),
        (("restore", "latest", "--target", "HOME/documents/new.txt"), "new.txt"),
        (("restore", "latest", "--target", "/proc/nowhere"), "/proc/nowhere"),
        (("restore", "latest", "/no/such/path", "--target", "HOME/back"), "/no/such/path"),
        (("restore", "ffffffff", "--target", "HOME/back"), POINT_MISSING),
        (("zip", "latest"), "--output"),
        (("zip", "latest", "-o", "HOME/documents/new.txt"), "exists already"),
        (("zip", "latest", "-o", "HOME/documents"), "HOME/documents"),
        (("zip", "latest", "-o", "HOME/documents", "--overwrite"), "HOME/documents"),
        (("zip", "latest", "-o", "HOME/missing/x.zip"), "HOME/missing"),
        (("zip", "latest", "/no/such/path", "-o", "HOME/x.zip"), "/no/such/path"),
        (("restore-disk", "latest"), "--map"),
        (("restore-disk", "latest", "--map", "nonsense"), "nonsense"),
        (("restore-disk", "latest", "--map", "disk0="), "disk0="),
        (
            ("restore-disk", "latest", "--map", "disk0=HOME/x.img", "--shrink", "disk0"),
            "'disk0' is no volume: give its number (2) or its place (disk0/volume2)",
        ),
        (
            ("restore-disk", "latest", "--map", "disk0=HOME/x.img", "--shrink", "disk1/volume2"),
            "--shrink names a volume of disk1, but no --map does",
        ),
        (("restore-disk", "latest", "--map", "sda=HOME/x.img"), "sda"),
        (("restore-disk", "latest", "--map", "disk0=HOME/x.img"), "disks/0"),
        (("restore-disk", "latest", "--map", "disk²=HOME/x.img"), "disk²"),
        (("disks", "HOME/missing"), "HOME/missing"),
        (("forget",), "keep"),
        (("forget", "ffffffff"), POINT_MISSING),
        (("forget", "--keep-last", "-1"), "-1"),
        (("forget", "--keep-last", "many"), "many"),
        (("forget", "--keep-within", "soon"), "soon"),
        (("check", "--read-data-subset", "200%"), "200%"),
        (("check", "--read-data-subset", "0/0"), "0/0"),
        (("check", "--read-data", "--read-data-subset", "5%"), "--read-data"),
        (("repair",), "required"),
        (("repair", "universe"), "universe"),
        (("key",), "required"),
        (("key", "remove", "ffffffff"), "ffffffff"),
        (("key", "remove"), "Which key is to be removed"),
        (("key", "list", "ffffffff"), "list takes no id"),
        (("find", "["), "[ is not closed"),
        (("prune", "--max-unused", "100"), "less than 100"),
        (("key", "add", "--new-password-file", "HOME/missing"), "HOME/missing"),
        (("init",), "already"),
        (("init", "--repository-version", "3"), "3"),
        (("init", "--repository-version", "two"), "two"),
        (("points", "-r", "s3:"), "s3:"),
        (("points", "-r", "ftp://example.org/x"), "ftp"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_nonsense_is_named_and_fails_with_1(
    used: CommandLine, arguments: tuple[str, ...], told: str
) -> None:
    (used.home / "empty").touch()
    home = str(used.home)
    answer = used.run(*(argument.replace("HOME", home) for argument in arguments))
    assert (answer.code, told.replace("HOME", home) in answer.err) == (1, True), answer.err
    assert not list(used.home.glob("*.part"))
    assert not (used.home / "x.zip").exists()
    assert not (used.home / "x.img").exists()


def test_prefix_that_several_points_share_is_called_ambiguous(used: CommandLine) -> None:
    by_first_letter: dict[str, int] = {}
    while max(by_first_letter.values(), default=0) < 2:
        used.ok("backup", used.home / "documents")
        ids = [point["id"] for point in used.ok("points", "--json").of_type("point")]
        by_first_letter = {i[0]: sum(j[0] == i[0] for j in ids) for i in ids}
    letter = max(by_first_letter, key=lambda first: by_first_letter[first])
    answer = used.run("ls", letter)
    assert answer.code == 1
    assert f"Several restore points start with '{letter}'" in answer.err


def test_file_in_place_of_a_repository_is_no_repository(shell: CommandLine) -> None:
    shell.repository.write_text("not a folder")
    for command in (("points",), ("backup", "/etc/hostname"), ("init",)):
        answer = shell.run(*command)
        assert answer.code in (1, 10)
        assert str(shell.repository) in answer.err
    assert shell.repository.read_text() == "not a folder"


def test_folder_that_is_something_else_is_no_repository(shell: CommandLine) -> None:
    shell.repository.mkdir()
    (shell.repository / "holiday.jpg").write_bytes(b"jpg")
    assert shell.run("points").code == 10
    assert shell.run("backup", "/etc/hostname").code == 10
    assert [path.name for path in shell.repository.iterdir()] == ["holiday.jpg"]


def test_point_and_other_garbage_in_the_snapshots_folder_is_ignored(used: CommandLine) -> None:
    (used.repository / "snapshots" / ".DS_Store").write_bytes(b"\x00")
    (used.repository / "snapshots" / "notes.txt").write_text("hello")
    assert len(used.ok("points", "--json").of_type("point")) == 2


def test_exclude_file_of_any_bytes_makes_a_backup_or_a_clear_error(used: CommandLine) -> None:
    patterns = used.home / "patterns"
    patterns.write_bytes(b"\xff\xfe\n[\n!\n\\\n[z-a]\n" + b"*" * 200 + b"\n\x00\n")
    answer = used.run("backup", used.home / "documents", "--exclude-file", patterns)
    assert answer.code == 0 or "patterns" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "-R", "latest"),
        ("restore", "latest", "--target", "HOME/back", "--verify"),
        ("zip", "latest", "-o", "HOME/x.zip"),
        ("points",),
        ("find", "*.jpg"),
        ("diff", "latest", "latest"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_reading_works_on_storage_that_cannot_be_written(
    used: CommandLine, arguments: tuple[str, ...]
) -> None:
    with read_only(used.repository) as through:
        answer = replace(used, through=through).spawn(
            *(argument.replace("HOME", str(used.home)) for argument in arguments)
        )
    assert (answer.code, answer.err) == (0, "")


def test_backup_to_storage_that_cannot_be_written_names_it(used: CommandLine) -> None:
    with read_only(used.repository) as through:
        answer = replace(used, through=through).spawn("backup", used.home / "documents")
    assert answer.code == 1
    assert str(used.repository) in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("restore", "latest", "--target", "TARGET/new"),
        ("restore", "latest", "--target", "TARGET"),
        ("zip", "latest", "-o", "TARGET/x.zip"),
        ("init", "-r", "TARGET/repository"),
    ],
    ids=" ".join,
)
def test_target_that_cannot_be_written_is_named(
    used: CommandLine, arguments: tuple[str, ...]
) -> None:
    target = used.home / "target"
    target.mkdir()
    with read_only(target) as through:
        answer = replace(used, through=through).spawn(
            *(argument.replace("TARGET", str(target)) for argument in arguments)
        )
    assert answer.code == 1
    assert str(target) in answer.err


@contextmanager
def read_only(folder: Path) -> Iterator[tuple[str, ...]]:
    """Nobody may write below the folder in processes started through what this gives.

    Rights hold no root back: those of root see the folder mounted read-only,
    in a mount namespace that ends with them.
    """
    if os.geteuid() == 0:
        script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        through = ("unshare", "--mount", "sh", "-c", script, str(folder))
        if subprocess.run([*through, "true"], capture_output=True, check=False).returncode:
            pytest.skip("root may not mount here")
        yield through
        return
    folders = [path for path in [folder, *folder.rglob("*")] if path.is_dir()]
    for path in folders:
        path.chmod(0o555)
    yield ()
    for path in folders:
        path.chmod(0o755)
