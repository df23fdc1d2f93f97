"""What NetworkManager says of the network, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class LinkKind(StrEnum):
    WIRED = "ethernet"
    WIFI = "wifi"


class LinkState(StrEnum):
    CONNECTED = "connected"
    CONNECTING = "connecting"
    DISCONNECTED = "disconnected"
    UNAVAILABLE = "unavailable"
    """No cable, the radio switched off, or no firmware for it."""


@dataclass(frozen=True, slots=True)
class Link:
    """One adapter. ``addresses`` as ``192.0.2.7/24``; texts are empty where there is none."""

    device: str
    kind: LinkKind
    state: LinkState
    connection: str = ""
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    name_servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkState:
    links: tuple[Link, ...]

    @property
    def is_connected(self) -> bool:
        return any(link.state is LinkState.CONNECTED for link in self.links)

    @property
    def has_wifi(self) -> bool:
        return any(link.kind is LinkKind.WIFI for link in self.links)

    def sentence(self) -> str:
        """For a person: the best there is, and what to do where that is not enough."""
        best = min(self.links, key=lambda link: tuple(LinkState).index(link.state), default=None)
        if best is None:
            return "This computer shows no network adapter that the rescue media can drive."
        match best.state:
            case LinkState.CONNECTED:
                through = "cable" if best.kind is LinkKind.WIRED else best.connection
                return f"Connected by {through}, {', '.join(best.addresses) or 'no address yet'}."
            case LinkState.CONNECTING:
                return "Connecting."
            case LinkState.DISCONNECTED | LinkState.UNAVAILABLE:
                other = " or choose a wireless network" if self.has_wifi else ""
                return f"Not connected. Plug in a cable{other}."


class WifiSecurity(StrEnum):
    OPEN = "open"
    PASSWORD = "wpa-psk"  # noqa: S105 - NetworkManager's name for it
    PASSWORD_WPA3 = "sae"  # noqa: S105 - NetworkManager's name for it
    UNSUPPORTED = "unsupported"
    """A login of one's own (802.1X), or WEP, which NetworkManager has given up."""


@dataclass(frozen=True, slots=True)
class WifiNetwork:
    """``signal`` in percent; of several stations of one name the strongest."""

    name: str
    signal: int
    security: WifiSecurity
    in_use: bool = False


def parse_links(status: str) -> tuple[Link, ...]:
    """``nmcli --terse --fields DEVICE,TYPE,STATE,CONNECTION device status``"""
    return tuple(
        Link(device, LinkKind(kind), _link_state(state), connection)
        for device, kind, state, connection in _rows(status, 4)
        if kind in set(LinkKind)
    )


def parse_addresses(link: Link, details: str) -> Link:
    """``nmcli --terse --fields IP4,IP6 device show DEVICE``: properties, numbered where many."""
    found: dict[str, list[str]] = {}
    for row in _rows(details, 2):
        found.setdefault(row[0].split("[")[0], []).append(row[1])
    # Link-local ones lead nowhere.
    addresses = [*found.get("IP4.ADDRESS", ()), *found.get("IP6.ADDRESS", ())]
    return Link(
        link.device,
        link.kind,
        link.state,
        link.connection,
        tuple(one for one in addresses if not one.lower().startswith("fe80:")),
        next(iter(found.get("IP4.GATEWAY", found.get("IP6.GATEWAY", ()))), ""),
        (*found.get("IP4.DNS", ()), *found.get("IP6.DNS", ())),
    )


def parse_wifi_list(text: str) -> tuple[WifiNetwork, ...]:
    """``nmcli --terse --fields IN-USE,SSID,SIGNAL,SECURITY device wifi list``, strongest first."""
    best: dict[str, WifiNetwork] = {}
    for used, name, signal, security in _rows(text, 4):
        if not name or not signal.isdecimal():
            continue
        found = WifiNetwork(name, int(signal), _security(security), in_use=used == "*")
        known = best.get(name)
        if known is None or (found.in_use, found.signal) > (known.in_use, known.signal):
            best[name] = found
    return tuple(sorted(best.values(), key=lambda one: (not one.in_use, -one.signal, one.name)))


def _rows(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Its lines that have so many fields."""
    for line in text.splitlines():
        fields = _fields(line, length)
        if len(fields) == length:
            yield fields


def _fields(line: str, most: int) -> tuple[str, ...]:
    """Between colons; a backslash makes the next character plain.

    The last field may have colons all the same: not every IPv6 address comes escaped.
    """
    fields = [""]
    characters = iter(line)
    for character in characters:
        if character == "\\":
            fields[-1] += next(characters, "")
        elif character == ":" and len(fields) < most:
            fields.append("")
        else:
            fields[-1] += character
    return tuple(fields)


def _link_state(text: str) -> LinkState:
    word = text.split(" ", maxsplit=1)[0]
    if word == "unmanaged":
        return LinkState.UNAVAILABLE
    return LinkState(word) if word in set(LinkState) else LinkState.DISCONNECTED


def _security(text: str) -> WifiSecurity:
    kinds = set(text.split())
    if not kinds or kinds == {"--"}:
        return WifiSecurity.OPEN
    if "802.1X" in kinds or kinds == {"WEP"}:
        return WifiSecurity.UNSUPPORTED
    # Where both are offered, the older is what every adapter can do.
    return WifiSecurity.PASSWORD if kinds & {"WPA1", "WPA2"} else WifiSecurity.PASSWORD_WPA3
