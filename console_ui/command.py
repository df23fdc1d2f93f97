"""``everboot console``: serve the web console.

Makes what is missing first, then serves until told to stop.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from backup_agent.errors import UsageError
from console_ui.settings import (
    DEFAULT_PORT,
    Database,
    Network,
    Postgresql,
    Settings,
    Smtp,
    Sqlite,
    Tls,
)

_DATABASE_PASSWORD = "EVERBOOT_CONSOLE_DATABASE_PASSWORD"  # noqa: S105 (a name)
_SMTP_PASSWORD = "EVERBOOT_CONSOLE_SMTP_PASSWORD"  # noqa: S105 (a name)
_SMTP_PORTS = {"smtp": 587, "smtps": 465}


class CommandSession(Protocol):
    """What this command needs of the command line's session."""

    @property
    def environment(self) -> Mapping[str, str]: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="where database, key file and mails lie"
    )
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}; 0 takes any"
    )
    parser.add_argument(
        "--public-address", metavar="URL", help="what browsers and devices call this console"
    )
    parser.add_argument(
        "--database",
        metavar="postgresql://[USER@]HOST[:PORT]/NAME",
        help=f"instead of SQLite; the password comes from {_DATABASE_PASSWORD}",
    )
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE")
    parser.add_argument("--tls-key", type=Path, metavar="FILE")
    parser.add_argument(
        "--trust-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="believe what this proxy says about client and TLS; repeatable",
    )
    parser.add_argument(
        "--mail",
        metavar="smtp[s]://[USER@]HOST[:PORT]",
        help=f"how mails leave; the password comes from {_SMTP_PASSWORD}",
    )
    parser.add_argument("--mail-sender", default="everboot@localhost", metavar="ADDRESS")
    parser.add_argument(
        "--storage-root",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="a folder below which vaults may lie; repeatable",
    )
    parser.add_argument(
        "--storage-network",
        action="append",
        default=[],
        metavar="NETWORK",
        help="a private network where storage servers may be; repeatable",
    )
    parser.add_argument(
        "--set-up-link",
        action="store_true",
        help="print a link that makes a new organisation and its first owner, and end; also while "
        "the console runs (give the same --data or --database and --public-address)",
    )
    parser.add_argument(
        "--reset-two-factor",
        metavar="EMAIL",
        help="take all second factors from this account, whose owner is told by mail, and end; "
        "for who has lost them and has no administrator to ask (give the same --data or "
        "--database and --public-address)",
    )
    parser.add_argument(
        "--check-audit-log",
        action="store_true",
        help="check every chain of the audit log, say where one is broken (status 1), and end",
    )


def run(args: argparse.Namespace, session: CommandSession) -> int:
    """Serve; returns 0 when stopped. Raises ``UsageError`` for settings that make no sense."""
    if args.check_audit_log:
        return _check_audit_log(args, session)
    if args.reset_two_factor is not None:
        return _reset_two_factor(args, session)
    if args.set_up_link:
        return _print_set_up_link(args, session)
    from console_ui.server import listening_socket, serve

    listener = listening_socket(args.listen, args.port)
    port = int(listener.getsockname()[1])
    settings = settings_from(args, environment=session.environment, port=port)

    from console_ui.django_settings import configure

    configure(settings)

    from console_ui.installation import prepare

    for line in prepare(settings):
        print(line, file=sys.stdout, flush=True)  # noqa: T201 (the command's answer)
    serve(settings, listener)
    return 0


def _print_set_up_link(args: argparse.Namespace, session: CommandSession) -> int:
    """Beside a console that runs, or before it is started again."""
    _configure_existing(args, session)

    from console_ui.installation import new_set_up_link

    print(new_set_up_link())  # noqa: T201 (the command's answer)
    return 0


def _reset_two_factor(args: argparse.Namespace, session: CommandSession) -> int:
    """Beside a console that runs, which sends the mail; or before it is started again."""
    _configure_existing(args, session)

    from console_ui.installation import reset_two_factor

    login = reset_two_factor(args.reset_two_factor)
    print(f"{login} logs in with the password alone now.")  # noqa: T201 (the command's answer)
    return 0


def _configure_existing(args: argparse.Namespace, session: CommandSession) -> None:
    settings = settings_from(args, environment=session.environment, port=args.port)
    match settings.database:
        case Sqlite(file=file) if not file.exists():
            raise UsageError(
                f"There is no console in {settings.data} yet.",
                hint="Start it without this option first, or give its --data.",
            )
    from console_ui.django_settings import configure

    configure(settings)


def _check_audit_log(args: argparse.Namespace, session: CommandSession) -> int:
    """Beside a console that runs, or without one: it only reads."""
    from console_ui.django_settings import configure

    settings = settings_from(args, environment=session.environment, port=args.port)
    configure(settings)

    from console_ui.audit.chain import chains, first_broken_link

    is_whole = True
    for chain in chains():
        broken = first_broken_link(chain)
        is_whole = is_whole and broken is None
        state = "whole" if broken is None else f"broken at entry {broken.sequence}: {broken.reason}"
        print(f"{chain}: {state}")  # noqa: T201 (the command's answer)
    return 0 if is_whole else 1


def settings_from(
    args: argparse.Namespace, *, environment: Mapping[str, str], port: int
) -> Settings:
    """The settings that the options describe. Raises ``UsageError``."""
    data = (args.data or default_data_folder(environment)).absolute()
    tls = _tls(args.tls_certificate, args.tls_key)
    scheme = "https" if tls else "http"
    return Settings(
        data=data,
        # The name, not the number: passkeys refuse addresses in numbers.
        public_address=(args.public_address or f"{scheme}://localhost:{port}").rstrip("/"),
        database=_database(args.database, data=data, environment=environment),
        listen=args.listen,
        port=port,
        tls=tls,
        trusted_proxies=tuple(args.trust_proxy),
        smtp=_smtp(args.mail, environment=environment),
        mail_sender=args.mail_sender,
        storage_roots=tuple(root.absolute() for root in args.storage_root),
        storage_networks=tuple(_network(text) for text in args.storage_network),
    )


def default_data_folder(environment: Mapping[str, str]) -> Path:
    """By the XDG Base Directory Specification."""
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "everboot" / "console"


def _tls(certificate: Path | None, key: Path | None) -> Tls | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("--tls-certificate and --tls-key belong together.", hint="Give both.")
    for file in (certificate, key):
        if not os.access(file, os.R_OK):
            raise UsageError(f"{file} cannot be read.", hint="Check its path and permissions.")
    return Tls(certificate=certificate, key=key)


def _database(url: str | None, *, data: Path, environment: Mapping[str, str]) -> Database:
    url = url or environment.get("EVERBOOT_CONSOLE_DATABASE")
    if not url:
        return Sqlite(file=data / "console.sqlite3")
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise UsageError(
            "--database names no PostgreSQL database.",
            hint="It looks like postgresql://everboot@db.example.org/everboot",
        )
    _refuse_password(parts.password, "--database", _DATABASE_PASSWORD)
    return Postgresql(
        name=parts.path.strip("/"),
        user=unquote(parts.username or ""),
        password=environment.get(_DATABASE_PASSWORD, ""),
        # A folder with a socket comes percent-encoded, as in libpq's own URLs.
        host=unquote(parts.hostname or ""),
        port=parts.port,
    )


def _smtp(url: str | None, *, environment: Mapping[str, str]) -> Smtp | None:
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in _SMTP_PORTS or not parts.hostname:
        raise UsageError(
            "--mail names no mail server.", hint="It looks like smtp://user@mail.example.org:587"
        )
    _refuse_password(parts.password, "--mail", _SMTP_PASSWORD)
    return Smtp(
        host=parts.hostname,
        port=parts.port or _SMTP_PORTS[parts.scheme],
        implicit_tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=environment.get(_SMTP_PASSWORD, ""),
    )


def _refuse_password(password: str | None, option: str, variable: str) -> None:
    if password is not None:
        raise UsageError(
            f"A password in {option} could be read by everybody on this computer.",
            hint=f"Put it into the environment variable {variable}.",
        )


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as exc:
        raise UsageError(
            f"{text!r} is no network.", hint="It looks like 192.168.1.0/24 or 10.0.0.7."
        ) from exc
