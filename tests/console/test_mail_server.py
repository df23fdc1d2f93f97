"""Mails through a real mail server: by TLS and with a login, or not at all."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.console.running import RunningConsole, running_console
from tests.console.test_survival import create_owner, post_form
from tests.servers.authority import Certificates, make_certificates
from tests.servers.mail import PASSWORD, USER, MailServer, mail_server
from tests.servers.process import free_ports

_WAIT_SECONDS = 60


def test_an_invitation_leaves_by_starttls_after_a_login(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    with mail_server(files) as server:
        log = _invite(tmp_path, server, files, password=PASSWORD)
        assert server.arrived.wait(_WAIT_SECONDS)

    [message] = server.mails
    assert message["To"] == "ben@keller.example"
    assert message["From"] == "backup@keller.example"
    assert "/invitation#" in message.get_content()
    assert PASSWORD not in log


def test_a_refused_login_is_logged_without_its_password_and_hinders_nobody(
    tmp_path: Path,
) -> None:
    files = make_certificates(tmp_path)
    with mail_server(files) as server:
        log = _invite(tmp_path, server, files, password="not the secret", expect_failure=True)
        assert server.refused.wait(_WAIT_SECONDS)

    assert server.mails == []
    assert "SMTPAuthenticationError" in log
    assert "not the secret" not in log
    assert "ben@keller.example" not in log


def test_a_server_without_tls_gets_neither_password_nor_mail(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    with mail_server(None) as server:
        log = _invite(tmp_path, server, files, password=PASSWORD, expect_failure=True)

    assert server.mails == []
    assert not server.refused.is_set()
    assert "SMTPNotSupportedError" in log


def test_a_server_with_somebody_elses_certificate_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    strange = make_certificates(tmp_path / "other")
    trusted = make_certificates(tmp_path)
    with mail_server(strange) as server:
        log = _invite(tmp_path, server, trusted, password=PASSWORD, expect_failure=True)

    assert server.mails == []
    assert "SSLCertVerificationError" in log


def test_a_mail_survives_that_the_server_was_down_and_the_console_killed(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    (port,) = free_ports(1)
    options = ("--mail", f"smtp://{USER}@localhost:{port}")
    secrets = {
        "EVERBOOT_CONSOLE_SMTP_PASSWORD": PASSWORD,
        "SSL_CERT_FILE": str(files.authority),
    }
    with (
        running_console(tmp_path, *options, secrets=secrets) as console,
        httpx.Client(base_url=console.address) as client,
    ):
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
        post_form(client, "/people/invite", email="ben@keller.example", role="viewer")
        console.server.wait_until(lambda: "could not be sent" in _log(console))
        console.server.process.kill()

    with (
        mail_server(files, port) as server,
        running_console(tmp_path, *options, secrets=secrets),
    ):
        assert server.arrived.wait(_WAIT_SECONDS)

    [message] = server.mails
    assert message["To"] == "ben@keller.example"
    assert "/invitation#" in message.get_content()


def _invite(
    folder: Path,
    server: MailServer,
    trusted: Certificates,
    *,
    password: str,
    expect_failure: bool = False,
) -> str:
    """Invite somebody from a console that uses the server; what the console logged."""
    options = ("--mail", f"smtp://{USER}@localhost:{server.port}")
    secrets = {
        "EVERBOOT_CONSOLE_SMTP_PASSWORD": password,
        "SSL_CERT_FILE": str(trusted.authority),
    }
    sender = ("--mail-sender", "backup@keller.example")
    with (
        running_console(folder, *options, *sender, secrets=secrets) as console,
        httpx.Client(base_url=console.address) as client,
    ):
        client.get("/setup")
        create_owner(client, console, "everboot-csrf")
        # Nobody waits for the mail server: the page answers, whatever becomes of the mail.
        post_form(client, "/people/invite", email="ben@keller.example", role="viewer")
        if expect_failure:
            console.server.wait_until(lambda: "could not be sent" in _log(console))
        else:
            assert server.arrived.wait(_WAIT_SECONDS)
        return _log(console)


def _log(console: RunningConsole) -> str:
    return console.server.log.read_text()
