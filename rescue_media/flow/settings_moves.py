"""What a person does about network, proxy, clock and keyboard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rescue_media.network.state import Link, WifiNetwork


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    pass


@dataclass(frozen=True, slots=True)
class OpenProxy:
    pass


@dataclass(frozen=True, slots=True)
class OpenClock:
    pass


@dataclass(frozen=True, slots=True)
class SearchNetworks:
    """Listen for wireless networks once more."""


@dataclass(frozen=True, slots=True)
class ChooseWifi:
    network: WifiNetwork


@dataclass(frozen=True, slots=True)
class ChooseLink:
    """An adapter whose address is to be set."""

    link: Link


@dataclass(frozen=True, slots=True)
class UseAddress:
    """As typed: ``192.0.2.7/24``; the others may be empty."""

    address: str
    gateway: str = ""
    name_servers: str = ""


@dataclass(frozen=True, slots=True)
class UseGivenAddress:
    """The one that the network gives, after all."""


@dataclass(frozen=True, slots=True)
class UseProxy:
    """An empty address: none."""

    address: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AskTimeServers:
    pass


@dataclass(frozen=True, slots=True)
class SetTime:
    """``moment`` with its time zone."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class OpenKeyboard:
    pass


@dataclass(frozen=True, slots=True)
class UseKeyboard:
    """``layout`` by XKB's name."""

    layout: str


OpenSettings: TypeAlias = OpenNetwork | OpenProxy | OpenClock | OpenKeyboard
SettingsMove: TypeAlias = (
    OpenSettings
    | SearchNetworks
    | ChooseWifi
    | ChooseLink
    | UseAddress
    | UseGivenAddress
    | UseProxy
    | AskTimeServers
    | SetTime
    | UseKeyboard
)
