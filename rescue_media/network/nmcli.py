"""The door to NetworkManager: its command line, asked and told by one call each."""

from __future__ import annotations

from backup_agent.errors import CommandFailedError, HostError, UsageError
from backup_agent.host.command import run
from rescue_media.network.settings import StaticAddress
from rescue_media.network.state import (
    Link,
    LinkState,
    NetworkState,
    WifiNetwork,
    WifiSecurity,
    parse_addresses,
    parse_links,
    parse_wifi_list,
)

_ASK_SECONDS = 15.0
# A scan of all channels takes some seconds; a weak access point answers late.
_SCAN_SECONDS = 45.0
_CONNECT_SECONDS = 60
_WIFI = "Everboot wireless"
_FEWEST_LETTERS, _MOST_LETTERS = 8, 64


def network_state() -> NetworkState:
    """Raises :class:`HostError` where NetworkManager does not answer."""
    status = _nmcli("--fields", "DEVICE,TYPE,STATE,CONNECTION", "device", "status")
    return NetworkState(tuple(_with_addresses(link) for link in parse_links(status)))


def wifi_networks(*, rescan: bool = False) -> tuple[WifiNetwork, ...]:
    """Those in reach. Raises :class:`HostError`."""
    words = ("device", "wifi", "list", "--rescan", "yes" if rescan else "auto")
    return parse_wifi_list(
        _nmcli("--fields", "IN-USE,SSID,SIGNAL,SECURITY", *words, seconds=_SCAN_SECONDS)
    )


def join_wifi(network: WifiNetwork, password: str) -> None:
    """Connect, and stay connected when the network comes and goes.

    Raises :class:`UsageError` before anything is tried for a password that
    cannot be right, :class:`HostError` with what to do where it does not work.
    """
    if network.security is WifiSecurity.UNSUPPORTED:
        raise UsageError(
            f"{network.name} wants a login of its own.", hint="Use a cable or another network."
        )
    needs_password = network.security is not WifiSecurity.OPEN
    if needs_password and not _FEWEST_LETTERS <= len(password.encode()) <= _MOST_LETTERS:
        raise UsageError("A wireless password has 8 to 63 characters.")
    _forget(_WIFI)
    secure = ("wifi-sec.key-mgmt", network.security.value) if needs_password else ()
    _nmcli(
        *("connection", "add", "type", "wifi", "con-name", _WIFI),
        *("ssid", network.name, *secure),
    )
    # Arguments can be read by everybody: the password goes through standard input.
    secret = f"802-11-wireless-security.psk:{password}\n" if needs_password else ""
    try:
        _connect(_WIFI, "passwd-file", "/dev/stdin", feed=secret.encode())
    except HostError as exc:
        _forget(_WIFI)
        raise CommandFailedError(
            f"{network.name} could not be joined.",
            hint="Check the password, with its capitals, and that the access point is near.",
        ) from exc


def use_static_address(link: Link, settings: StaticAddress) -> None:
    """Raises :class:`HostError`; the adapter's former settings are gone then, too."""
    servers = " ".join(map(str, settings.name_servers))
    _modify(
        link,
        *("ipv4.method", "manual", "ipv4.addresses", str(settings.address)),
        *("ipv4.gateway", str(settings.gateway or ""), "ipv4.dns", servers),
    )


def use_given_address(link: Link) -> None:
    """By DHCP, as in the beginning. Raises :class:`HostError`."""
    _modify(
        link,
        # The gateway first: without an address of one's own it would be refused.
        *("ipv4.gateway", "", "ipv4.method", "auto", "ipv4.addresses", "", "ipv4.dns", ""),
    )


def _modify(link: Link, *settings: str) -> None:
    name = link.connection
    if not name:
        # Nothing was ever connected by this adapter: there is nothing to change yet.
        name = f"Everboot {link.device}"
        _forget(name)
        _nmcli(
            *("connection", "add", "type", link.kind.value, "con-name", name),
            *("ifname", link.device),
        )
    _nmcli("connection", "modify", "id", name, *settings)
    _connect(name)


def _with_addresses(link: Link) -> Link:
    if link.state is not LinkState.CONNECTED:
        return link
    details = _nmcli("--fields", "IP4,IP6", "device", "show", link.device)
    return parse_addresses(link, details)


def _connect(name: str, *words: str, feed: bytes = b"") -> None:
    _nmcli(
        *("--wait", str(_CONNECT_SECONDS), "connection", "up", "id", name, *words),
        feed=feed,
        seconds=_CONNECT_SECONDS + _ASK_SECONDS,
    )


def _forget(name: str) -> None:
    # 10: there is none of that name.
    run(
        ["nmcli", "connection", "delete", "id", name],
        timeout_seconds=_ASK_SECONDS,
        also_good=(10,),
    )


def _nmcli(*arguments: str, feed: bytes = b"", seconds: float = _ASK_SECONDS) -> str:
    command = ["nmcli", "--terse", "--escape", "yes", "--colors", "no", *arguments]
    return run(command, feed=feed, timeout_seconds=seconds).output.decode(errors="replace")
