"""``everboot console``: what its options mean, what it refuses, and that it runs."""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from backup_agent.errors import HostError, UsageError
from console_ui.command import add_arguments, settings_from
from console_ui.server import listening_socket
from console_ui.settings import Postgresql, Settings, Smtp, Sqlite
from tests.console.running import REPOSITORY, running_console
from tests.servers.postgresql import postgresql
from tests.servers.process import ServerFailedError, run


def _settings(*arguments: str, environment: Mapping[str, str] | None = None) -> Settings:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(["--data", "/data", *arguments])
    return settings_from(args, environment=environment or {}, port=8470)


def test_without_options_it_is_sqlite_on_loopback_by_name() -> None:
    settings = _settings()

    assert settings.public_address == "http://localhost:8470"
    assert settings.listen == "127.0.0.1"
    assert settings.database == Sqlite(file=Path("/data/console.sqlite3"))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_listening_to_the_network_without_tls_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="without TLS"):
        _settings("--listen", address)


def test_a_trusted_proxy_may_speak_tls_instead() -> None:
    settings = _settings(
        *("--listen", "0.0.0.0", "--trust-proxy", "192.0.2.7"),
        *("--public-address", "https://backup.example.org/"),
    )

    assert settings.is_encrypted
    assert settings.host == "backup.example.org"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen", "0.0.0.0"),
        ("--public-address", "http://backup.example.org"),
        ("--listen", "0.0.0.0", "--public-address", "http://backup.example.org"),
    ],
)
def test_a_proxy_without_an_address_in_https_is_refused(arguments: tuple[str, ...]) -> None:
    """Cookies would lack what keeps them from being sent in clear text."""
    with pytest.raises(UsageError, match="TLS") as refused:
        _settings("--trust-proxy", "192.0.2.7", *arguments)

    assert "--public-address" in refused.value.hint


def test_postgresql_is_one_setting_and_its_password_stays_out_of_arguments() -> None:
    environment = {"EVERBOOT_CONSOLE_DATABASE_PASSWORD": "secret"}
    settings = _settings(
        "--database", "postgresql://eve@db.example.org:5433/console", environment=environment
    )

    assert settings.database == Postgresql(
        name="console", user="eve", password="secret", host="db.example.org", port=5433
    )
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--database", "postgresql://eve:secret@db.example.org/console"),
        ("--mail", "smtp://eve:secret@mail.example.org"),
    ],
)
def test_passwords_in_arguments_are_refused_and_not_repeated(arguments: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        _settings(*arguments)

    assert "secret" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--database", "mysql://db/console"),
        ("--mail", "http://mail.example.org"),
        ("--tls-certificate", "cert.pem"),
        ("--tls-certificate", "/none.pem", "--tls-key", "/none.pem"),
        ("--storage-network", "here"),
        ("--public-address", "ftp://x"),
        ("--public-address", "https://x/path"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        _settings(*arguments)


def test_mail_goes_by_tls_one_way_or_the_other() -> None:
    assert _settings("--mail", "smtp://m.example").smtp == Smtp(
        host="m.example", port=587, implicit_tls=False
    )
    assert _settings("--mail", "smtps://m.example").smtp == Smtp(
        host="m.example", port=465, implicit_tls=True
    )


def test_a_port_that_is_taken_is_told_with_a_hint() -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError) as refused:
            listening_socket("127.0.0.1", port)

    assert "--port" in refused.value.hint


def test_the_command_makes_all_it_needs_and_prints_the_set_up_link(tmp_path: Path) -> None:
    with (
        running_console(tmp_path, from_nothing=True) as console,
        httpx.Client(base_url=console.address) as client,
    ):
        assert re.fullmatch(r"http://localhost:\d+/setup#[\w-]{43}", console.set_up_link)
        assert client.get("/").status_code == 200
        assert "server" not in client.get("/").headers
        made = sorted(path.name for path in console.data.iterdir())
        assert {"console.sqlite3", "key", "mail"} <= set(made)
        _create_owner(client, console.set_up_link)
        assert "mira@keller.example" in client.get("/account").text


def test_any_host_header_is_refused_without_a_word_in_the_log(tmp_path: Path) -> None:
    with running_console(tmp_path) as console:
        answer = httpx.get(console.address, headers={"Host": "evil.example"})

        assert answer.status_code == 400
        assert "evil.example" not in console.server.log.read_text()


def test_whoever_runs_the_console_resets_the_second_factor_of_somebody_alone(
    tmp_path: Path,
) -> None:
    with running_console(tmp_path) as console, httpx.Client(base_url=console.address) as client:
        _create_owner(client, console.set_up_link)
    with sqlite3.connect(console.data / "console.sqlite3") as database:
        user = database.execute("SELECT id FROM accounts_user").fetchone()[0]
        database.execute(
            "INSERT INTO accounts_securitykey (id, user_id, name, credential_id, public_key,"
            " sign_count, transports, verifies_person, added_at)"
            " VALUES ('a', ?, 'lost', 'c', x'00', 0, '[]', 0, '2026-01-01')",
            (user,),
        )
    database.close()

    command = (sys.executable, "-m", "backup_agent", "console", "--data", str(console.data))
    environment = {"PYTHONPATH": str(REPOSITORY)}

    def reset(name: str) -> str:
        told = (*command, "--reset-two-factor", name)
        return run(told, folder=tmp_path, environment=environment)

    assert "SBA-" in reset("MIRA@keller.example")
    with pytest.raises(ServerFailedError, match="Nobody has an account"):
        reset("nobody@keller.example")
    with sqlite3.connect(console.data / "console.sqlite3") as database:
        left = database.execute("SELECT count(*) FROM accounts_securitykey").fetchone()
        noted = database.execute(
            "SELECT actor_kind, about FROM audit_entry WHERE action = 'second_factor.reset'"
        ).fetchall()
        mailed = database.execute("SELECT recipient FROM web_outgoingmail").fetchall()
    database.close()
    assert left == (0,)
    assert noted == [("console", "mira@keller.example")]
    assert ("mira@keller.example",) in mailed


def test_the_command_runs_on_postgresql(tmp_path: Path) -> None:
    with postgresql() as cluster:
        at = ("--host", str(cluster.folder), "--username", cluster.user)
        run(("createdb", *at, "console"), folder=tmp_path)
        socket = str(cluster.folder).replace("/", "%2F")
        url = f"postgresql://{cluster.user}@{socket}/console"
        with (
            running_console(tmp_path, "--database", url, from_nothing=True) as console,
            httpx.Client(base_url=console.address) as client,
        ):
            _create_owner(client, console.set_up_link)
            assert client.get("/devices").status_code == 200
            assert not (console.data / "console.sqlite3").exists()


def _create_owner(client: httpx.Client, link: str) -> None:
    client.get("/setup")
    form = {
        "csrfmiddlewaretoken": client.cookies["everboot-csrf"],
        "token": link.partition("#")[2],
        "organisation": "Keller",
        "name": "Mira Keller",
        "email": "mira@keller.example",
        "password": "several words of mine",
    }
    assert client.post("/setup", data=form).headers["Location"] == "/2fa"
