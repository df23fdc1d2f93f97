"""The console's own backup, and what a newer program makes of an older database."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from console_ui.upgrade import copy_database
from tests.console.running import REPOSITORY, running_console
from tests.console.test_survival import create_owner


def test_a_copy_made_while_the_console_runs_opens_with_its_key_file(tmp_path: Path) -> None:
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
        restored = tmp_path / "elsewhere" / "data"
        restored.mkdir(parents=True)
        copy_database(console.data / "console.sqlite3", restored / "console.sqlite3")
        shutil.copy(console.data / "key", restored / "key")
        cookies = dict(client.cookies)

    with (
        running_console(tmp_path / "elsewhere") as again,
        httpx.Client(base_url=again.address, cookies=cookies) as client,
    ):
        assert again.set_up_link == ""
        assert "mira@keller.example" in client.get("/account").text
        assert "chain is whole" in client.get("/audit?check").text


def test_a_database_without_its_key_file_is_refused_and_no_new_key_is_made(
    tmp_path: Path,
) -> None:
    with running_console(tmp_path) as console:
        (console.data / "key").rename(tmp_path / "key")

    refused = _started(console.data)

    assert refused.returncode == 1
    assert "The key file" in refused.stderr
    assert "is missing" in refused.stderr
    assert not (console.data / "key").exists()


def test_an_older_database_is_copied_first_and_then_brought_up_to_date(tmp_path: Path) -> None:
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
        cookies = dict(client.cookies)
    # As it was before there was an audit log.
    _execute(
        console.data / "console.sqlite3",
        "DROP TABLE audit_entry",
        "DROP TABLE audit_chainend",
        "DELETE FROM django_migrations WHERE app = 'audit'",
    )

    with (
        running_console(tmp_path) as again,
        httpx.Client(base_url=again.address, cookies=cookies) as client,
    ):
        told = again.server.log.read_text()
        assert "mira@keller.example" in client.get("/account").text
        assert client.get("/audit").status_code == 200

    [copy] = again.data.glob("console-before-*.sqlite3")
    assert str(copy) in told
    assert copy.stat().st_mode & 0o077 == 0
    assert "audit_entry" not in _tables(copy)
    assert "accounts_user" in _tables(copy)


def test_an_upgraded_database_is_not_copied_again(tmp_path: Path) -> None:
    for _ in range(2):
        with running_console(tmp_path, from_nothing=True) as console:
            pass

    assert list(console.data.glob("console-before-*")) == []


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        pass
    _execute(
        console.data / "console.sqlite3",
        "INSERT INTO django_migrations (app, name, applied) "
        "VALUES ('accounts', '9999_from_the_future', '2030-01-01')",
    )

    refused = _started(console.data)

    assert refused.returncode == 1
    assert "newer Everboot" in refused.stderr


def test_the_command_tells_where_the_audit_log_is_broken(tmp_path: Path) -> None:
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
    whole = _started(console.data, "--check-audit-log")
    _execute(
        console.data / "console.sqlite3",
        "DROP TRIGGER audit_entry_unchanged",
        "UPDATE audit_entry SET actor_name = 'nobody' WHERE sequence = 1",
    )

    broken = _started(console.data, "--check-audit-log")

    assert whole.returncode == 0
    assert ": whole" in whole.stdout
    assert broken.returncode == 1
    assert "broken at entry 1: changed" in broken.stdout


def _started(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command, when it ends by itself."""
    command = (sys.executable, "-m", "backup_agent", "console", "--data", data, "--port", "0")
    return subprocess.run(
        [*command, *options],
        check=False,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _execute(database: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def _tables(database: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
