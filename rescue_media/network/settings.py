"""What a person can set, checked as it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError
from urllib.parse import quote, urlsplit

from backup_agent.errors import UsageError

_HERE = "localhost,127.0.0.1,::1"


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """An address of one's own instead of one that the network gives."""

    address: IPv4Interface
    gateway: IPv4Address | None
    name_servers: tuple[IPv4Address, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """``password`` must be shown and logged nowhere, so it is not in the value's text."""

    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Proxy({self.host!r}, {self.port})"

    def environment(self) -> Mapping[str, str]:
        """What HTTP libraries look for, in this process only."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        address = f"http://{login}{host}:{self.port}"
        return {"HTTPS_PROXY": address, "HTTP_PROXY": address, "NO_PROXY": _HERE}


def static_address(address: str, gateway: str, name_servers: str) -> StaticAddress:
    """As typed: ``192.0.2.7/24`` or with a mask; name servers between commas or spaces.

    Raises :class:`UsageError` that says what cannot be right.
    """
    if "/" not in address:
        raise UsageError("The address lacks its mask.", hint="It looks like 192.168.1.50/24.")
    try:
        own = IPv4Interface(address.replace(" ", ""))
    except (AddressValueError, NetmaskValueError, ValueError) as exc:
        raise UsageError(
            f"{address} is no IPv4 address with a mask.", hint="It looks like 192.168.1.50/24."
        ) from exc
    if own.ip in (own.network.network_address, own.network.broadcast_address) and (
        own.network.prefixlen < 31
    ):
        raise UsageError(f"{own.ip} is the address of the network itself, or of all in it.")
    way = _address(gateway, "gateway") if gateway.strip() else None
    if way is not None and way not in own.network:
        raise UsageError(
            f"The gateway {way} is not in the network {own.network}.",
            hint="Check the mask: most home networks use /24.",
        )
    servers = name_servers.replace(",", " ").split()
    return StaticAddress(own, way, tuple(_address(one, "name server") for one in servers))


def proxy(address: str, *, user: str = "", password: str = "") -> Proxy:
    """``proxy.example.org:3128``, with or without ``http://``. Raises :class:`UsageError`."""
    hint = "It looks like proxy.example.org:3128."
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise UsageError("The proxy's address makes no sense.", hint=hint) from exc
    if parts.scheme != "http" or not host or not port or parts.username is not None:
        raise UsageError("The proxy's address makes no sense.", hint=hint)
    return Proxy(host, port, user, password)


def _address(text: str, what: str) -> IPv4Address:
    try:
        return IPv4Address(text.strip())
    except AddressValueError as exc:
        raise UsageError(f"{text.strip()} is no IPv4 address for a {what}.") from exc
