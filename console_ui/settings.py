"""Everything an administrator can choose about a console, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from backup_agent.errors import UsageError

Network: TypeAlias = IPv4Network | IPv6Network

DEFAULT_PORT = 8470
_THIS_COMPUTER = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sqlite:
    """The default: one file in the data folder."""

    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgresql:
    """A PostgreSQL database; an empty host means the local socket, as in libpq."""

    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    host: str = ""
    port: int | None = None


Database: TypeAlias = Sqlite | Postgresql


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files in PEM form; the certificate with its chain."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """A mail server; ``implicit_tls`` is port 465's way, otherwise STARTTLS is demanded."""

    host: str
    port: int
    implicit_tls: bool
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one console runs.

    ``public_address`` is what browsers and devices call it, without a path. Without ``smtp``,
    mails become files in the folder ``mail`` of the data folder.
    ``storage_roots`` are the folders below which an administrator may place vaults;
    ``storage_networks`` the private networks where storage servers may be.
    """

    data: Path
    public_address: str
    database: Database
    listen: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls: Tls | None = None
    trusted_proxies: tuple[str, ...] = ()
    smtp: Smtp | None = None
    mail_sender: str = "everboot@localhost"
    storage_roots: tuple[Path, ...] = ()
    storage_networks: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        """Raises ``UsageError`` for a console that would hand out passwords in clear text."""
        reached_by_tls = self.tls is not None or (self.trusted_proxies and self.is_encrypted)
        if not self.listens_on_loopback and not reached_by_tls:
            raise UsageError(
                f"Listening on {self.listen} without TLS would show passwords to the network.",
                hint="Give --tls-certificate and --tls-key, or name the proxy that speaks TLS "
                "with --trust-proxy and its https:// address with --public-address.",
            )
        if self.trusted_proxies and not self.is_encrypted and self.host not in _THIS_COMPUTER:
            raise UsageError(
                f"A proxy that speaks TLS makes no {self.public_address}.",
                hint="Give --public-address as browsers see it behind the proxy, with https://.",
            )
        address = urlsplit(self.public_address)
        if address.scheme not in {"http", "https"} or not address.hostname or address.path:
            raise UsageError(
                f"{self.public_address!r} is no address of a console.",
                hint="It looks like https://backup.example.org, without a path.",
            )

    @property
    def listens_on_loopback(self) -> bool:
        if self.listen == "localhost":
            return True
        try:
            return ip_address(self.listen).is_loopback
        except ValueError:
            return False

    @property
    def host(self) -> str:
        """The host name in the public address: what passkeys are bound to."""
        return urlsplit(self.public_address).hostname or ""

    @property
    def is_encrypted(self) -> bool:
        """Whether browsers reach the console through TLS."""
        return urlsplit(self.public_address).scheme == "https"

    @property
    def key_file(self) -> Path:
        return self.data / "key"

    @property
    def spool_folder(self) -> Path:
        """Where uploads wait until they are complete."""
        return self.data / "spool"

    @property
    def unlocked_folder(self) -> Path:
        """Where the sockets of unlocked vaults lie."""
        return self.data / "unlocked"

    @property
    def mail_folder(self) -> Path:
        return self.data / "mail"
