"""What the flow asks to be done. One at a time; each is answered by one move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rescue_media.flow.values import Options, Place, Row, Workstation
from rescue_media.network.state import Link, WifiNetwork


@dataclass(frozen=True, slots=True)
class AskForCode:
    """``trusted``: a fingerprint that a person has compared."""

    console: str
    media_code: str
    certificate: str = ""
    trusted: str = ""
    backs_up: bool = False


@dataclass(frozen=True, slots=True)
class WaitForApproval:
    """Of the code that was shown last."""


@dataclass(frozen=True, slots=True)
class OpenPlace:
    place: Place


@dataclass(frozen=True, slots=True)
class FindPoints:
    """Of one workstation; without a password, one that the console keeps is tried."""

    place: Place
    workstations: tuple[Workstation, ...]
    workstation: int | None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReadContents:
    point: str


@dataclass(frozen=True, slots=True)
class FindDisks:
    place: Place


@dataclass(frozen=True, slots=True)
class MakePlans:
    rows: tuple[Row, ...]
    options: Options


@dataclass(frozen=True, slots=True)
class LookAtImage:
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class WritePlan:
    """Into a file; what was planned last."""

    path: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Do what was planned last."""

    options: Options


@dataclass(frozen=True, slots=True)
class PlanBackUp:
    place: Place


@dataclass(frozen=True, slots=True)
class BackUp:
    place: Place
    disks: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ListFolder:
    path: str


@dataclass(frozen=True, slots=True)
class CopyFiles:
    paths: tuple[str, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class AskDisks:
    """For their health."""


@dataclass(frozen=True, slots=True)
class ShowTerminal:
    pass


@dataclass(frozen=True, slots=True)
class EndSession:
    turn_off: bool


@dataclass(frozen=True, slots=True)
class LookAround:
    """At network and clock."""


@dataclass(frozen=True, slots=True)
class FindNetwork:
    """``rescan``: listen on all channels, which takes seconds."""

    rescan: bool = False


@dataclass(frozen=True, slots=True)
class JoinWifi:
    network: WifiNetwork
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UseAddress:
    link: Link
    address: str
    gateway: str
    name_servers: str


@dataclass(frozen=True, slots=True)
class UseGivenAddress:
    link: Link


@dataclass(frozen=True, slots=True)
class UseProxy:
    address: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskTimeServers:
    pass


@dataclass(frozen=True, slots=True)
class SetTime:
    moment: datetime


@dataclass(frozen=True, slots=True)
class UseKeyboard:
    """By ending the window, which begins anew with it."""

    layout: str


@dataclass(frozen=True, slots=True)
class SaveLog:
    path: str


SettingsWish: TypeAlias = (
    FindNetwork | JoinWifi | UseAddress | UseGivenAddress | UseProxy | AskTimeServers | SetTime
)
Wish: TypeAlias = (
    SettingsWish
    | LookAround
    | UseKeyboard
    | SaveLog
    | AskForCode
    | WaitForApproval
    | OpenPlace
    | FindPoints
    | ReadContents
    | FindDisks
    | MakePlans
    | LookAtImage
    | WritePlan
    | Restore
    | PlanBackUp
    | BackUp
    | ListFolder
    | CopyFiles
    | AskDisks
    | ShowTerminal
    | EndSession
)
