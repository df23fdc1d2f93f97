"""Options, variables and exit codes: what scripts rely on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backup_agent.errors import AccessDeniedError
from backup_agent.repository.locks import RepositoryLock
from backup_agent.repository.repository import open_repository
from backup_agent.storage.backend import FileKind, ObjectKey
from backup_agent.storage.local import LocalBackend
from tests.command_line import PASSWORD, CommandLine


def test_first_hour_of_a_user(shell: CommandLine) -> None:
    folder = shell.home / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    assert shell.spawn("init").code == 0
    assert "Restore point" in shell.spawn("backup", folder).out
    assert str(folder) in shell.spawn("points").out
    answer = shell.spawn("restore", "latest", "--target", shell.home / "back", "--verify")
    assert answer.code == 0
    assert (shell.home / "back" / str(folder)[1:] / "a.txt").read_text() == "hello"


@pytest.mark.parametrize("place", ["before", "after", "around"])
def test_options_stand_before_or_after_the_command(model: CommandLine, place: str) -> None:
    shell = model.having(EVERBOOT_REPOSITORY="")
    where, how = ("-r", str(model.repository)), ("--json", "--no-cache")
    arguments = {
        "before": (*where, *how, "points"),
        "after": ("points", *where, *how),
        "around": (*where, "points", *how),
    }[place]
    assert len(shell.ok(*arguments).of_type("point")) == 2


def test_our_variables_win_over_restics(model: CommandLine) -> None:
    restics = {"RESTIC_REPOSITORY": str(model.repository), "RESTIC_PASSWORD": PASSWORD}
    only = model.having(EVERBOOT_REPOSITORY="", EVERBOOT_PASSWORD="", **restics)
    assert only.ok("points", "--json").of_type("point")
    both = model.having(RESTIC_REPOSITORY="/nowhere", RESTIC_PASSWORD="wrong")
    assert both.ok("points", "--json").of_type("point")


def test_no_repository_named_is_a_usage_error(shell: CommandLine) -> None:
    answer = shell.having(EVERBOOT_REPOSITORY="").run("points")
    assert answer.code == 1
    assert "No repository was named" in answer.err
    assert "EVERBOOT_REPOSITORY" in answer.err


def test_no_repository_there_is_exit_10(shell: CommandLine) -> None:
    answer = shell.spawn("points")
    assert answer.code == 10
    assert str(shell.repository) in answer.err
    assert not shell.repository.exists()


def test_wrong_password_is_exit_12(model: CommandLine) -> None:
    assert model.having(EVERBOOT_PASSWORD="wrong").spawn("points").code == 12


def test_locked_repository_is_exit_11_for_a_backup_and_none_for_reading(used: CommandLine) -> None:
    other = open_repository(LocalBackend(used.repository), PASSWORD)
    with RepositoryLock(other, exclusive=True):
        answer = used.run("backup", used.home / "documents")
        assert answer.code == 11
        assert "locked" in answer.err
        assert used.run("ls", "latest").code == 0
        assert used.run("restore", "latest", "--target", used.home / "back").code == 0
    assert used.run("backup", used.home / "documents").code == 0


def test_file_that_cannot_be_read_is_exit_3_and_named(used: CommandLine) -> None:
    # Its first page is mapped nowhere, so that reading it fails for everybody, root included.
    answer = used.run("backup", "/proc/self/mem", "--json")
    assert answer.code == 3
    (error,) = answer.of_type("error")
    assert error["item"] == "/proc/self/mem"
    (point,) = [p for p in used.ok("points", "--json").of_type("point") if not p["complete"]]
    assert point["state"] == "incomplete"
    assert answer.of_type("summary")[0]["omissions"] == 1


def test_point_made_by_dry_run_is_none(used: CommandLine) -> None:
    before = used.ok("points", "--json").out
    answer = used.ok("backup", "--dry-run", used.home / "documents" / "letters", "--json")
    assert answer.of_type("summary")[0]["dry_run"] is True
    assert used.ok("points", "--json").out == before


def test_credentials_inside_an_address_are_masked_and_warned_about(shell: CommandLine) -> None:
    address = "rest:https://ada:s3cret-word@127.0.0.1:1/repo/"
    # It fails before anything is sent: the certificates it is to trust are not there.
    answer = shell.having(EVERBOOT_REPOSITORY=address).run("points", "--cacert", "missing.pem")
    assert answer.code == 1
    assert "s3cret-word" not in answer.err + answer.out
    assert "Warning" in answer.err
    assert "credentials inside an address" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("points", "rest:https://ada:s3cret/word@127.0.0.1/"),
        ("rest:https://ada:s3cret/word@127.0.0.1/",),
        ("points", "--limit-upload", "webdav:https://127.0.0.1/?token=s3cret"),
    ],
)
@pytest.mark.parametrize("json", [(), ("--json",)], ids=["text", "json"])
def test_an_address_in_the_wrong_place_is_masked_too(
    shell: CommandLine, arguments: tuple[str, ...], json: tuple[str, ...]
) -> None:
    answer = shell.run(*arguments, *json)
    assert answer.code == 1
    assert "127.0.0.1" in answer.err + answer.out
    assert "s3cret" not in answer.err + answer.out


@pytest.mark.parametrize(
    ("command", "choice"), [("key", "list|add|remove|passwd"), ("repair", "index")]
)
def test_a_command_that_lacks_its_verb_names_the_choice(
    shell: CommandLine, command: str, choice: str
) -> None:
    answer = shell.run(command)
    assert answer.code == 1
    assert f"required: {choice}." in answer.err


@pytest.mark.parametrize(
    ("address", "settings", "named"),
    [
        ("rest:https://127.0.0.1:1/", {"SSL_CERT_FILE": "/dev/null"}, "SSL_CERT_FILE"),
        ("s3:https://127.0.0.1:1/bucket", {"AWS_PROFILE": "nobody"}, "AWS_PROFILE"),
        ("s3:https://127.0.0.1:1/ab", {}, "bucket"),
    ],
)
def test_a_setting_that_makes_no_sense_is_an_error_in_words(
    shell: CommandLine, address: str, settings: dict[str, str], named: str
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    answer = shell.having(EVERBOOT_REPOSITORY=address, **keys, **settings).run("points")
    assert answer.code == 1
    assert named in answer.err


def test_help_of_every_command_names_its_options(shell: CommandLine, tmp_path: Path) -> None:
    for command in ("init", "backup", "points", "ls", "restore", "zip", "restore-disk", "demo"):
        answer = shell.spawn(command, "--help")
        assert answer.code == 0
        assert "--password-file" in answer.out
    assert shell.spawn("--version").out.startswith("everboot ")


def test_quiet_backup_still_tells_what_it_saved(used: CommandLine) -> None:
    assert "Restore point" in used.ok("-q", "backup", used.home / "documents").out


@pytest.mark.usefixtures("weak_keys")
def test_paths_may_follow_options(shell: CommandLine) -> None:
    for name in ("one", "two"):
        (shell.home / name).mkdir()
        (shell.home / name / "a").write_text(name)
    shell.ok("init")
    shell.ok("backup", shell.home / "one", "--tag", "t", shell.home / "two")
    shell.ok("restore", "latest", "--target", shell.home / "back", shell.home / "two")
    back = shell.home / "back" / str(shell.home)[1:]
    assert [path.name for path in back.iterdir()] == ["two"]


@pytest.mark.usefixtures("weak_keys")
def test_taking_files_out_of_an_incomplete_point_says_that_it_is(shell: CommandLine) -> None:
    folder = shell.home / "documents"
    folder.mkdir()
    (folder / "a").write_text("a")
    os.setxattr(bytes(folder / "a"), b"user.\xff", b"v")
    shell.ok("init")
    assert shell.run("backup", folder).code == 3
    for command in (("restore", "--target", shell.home / "back"), ("zip", "-o", shell.home / "z")):
        answer = shell.run(command[0], "latest", *command[1:], folder)
        assert "is incomplete: 1 problem" in answer.err


@pytest.mark.parametrize("prune", [(), ("--prune",)], ids=["alone", "with prune"])
def test_forget_says_that_it_removed_something_once_it_did(
    used: CommandLine, monkeypatch: pytest.MonkeyPatch, prune: tuple[str, ...]
) -> None:
    done = "Removed 1 restore point."
    remove = LocalBackend.remove

    def append_only(backend: LocalBackend, key: ObjectKey) -> None:
        if key.kind is FileKind.SNAPSHOT:
            raise AccessDeniedError("It may only be added to.")
        remove(backend, key)

    with monkeypatch.context() as patched:
        patched.setattr(LocalBackend, "remove", append_only)
        refused = used.run("forget", "--keep-last", "1", *prune)
    assert refused.code == 1
    assert "1 restore point to remove, 1 to keep." in refused.out
    assert done not in refused.out
    assert done in used.ok("forget", "--keep-last", "1", *prune).out


def test_help_says_what_every_command_does(shell: CommandLine) -> None:
    lines = shell.spawn("--help").out.splitlines()
    commands = [line.split() for line in lines if line[:4].isspace() and line[4:5].isalpha()]
    assert ["console", "serve", "the", "web", "console"] in commands
    assert [names for names in commands if len(names) == 1 and names != ["COMMAND"]] == []
