"""What happens: what a person does, and what came of a wish."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rescue_media.flow.values import (
    Destination,
    DiskHealth,
    Item,
    Options,
    Place,
    Point,
    Problem,
    Purpose,
    Report,
    RowPlan,
    ShownCode,
    Status,
    StorageKind,
    StoredDisk,
    TargetDisk,
    Workstation,
)
from rescue_media.network.state import Link, NetworkState, WifiNetwork

# What a person does.


@dataclass(frozen=True, slots=True)
class GoBack:
    """Leave a step without loss; ends what is waited for."""


@dataclass(frozen=True, slots=True)
class GoHome:
    """Back to "Rescue Media"."""


@dataclass(frozen=True, slots=True)
class ManageLocally:
    pass


@dataclass(frozen=True, slots=True)
class Choose:
    """One of the things to come for."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class SelectData:
    pass


@dataclass(frozen=True, slots=True)
class OpenBrowse:
    pass


@dataclass(frozen=True, slots=True)
class ChooseCloud:
    pass


@dataclass(frozen=True, slots=True)
class ChooseLogIn:
    console: str


@dataclass(frozen=True, slots=True)
class UseCode:
    """With the console's address, and a media code if there is one."""

    console: str
    media_code: str = ""


@dataclass(frozen=True, slots=True)
class TrustCertificate:
    """A person compared the fingerprint."""


@dataclass(frozen=True, slots=True)
class ChooseStorage:
    kind: StorageKind


@dataclass(frozen=True, slots=True)
class UsePlace:
    place: Place


@dataclass(frozen=True, slots=True)
class Unfold:
    """The arrow before a workstation."""

    workstation: int


@dataclass(frozen=True, slots=True)
class GivePassword:
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChoosePoint:
    workstation: int
    point: Point


@dataclass(frozen=True, slots=True)
class Check:
    """Tick or untick a disk or volume (``disk0``, ``disk0/volume2``), or a file's path."""

    source: str
    on: bool


@dataclass(frozen=True, slots=True)
class Accept:
    """Press "OK"."""


@dataclass(frozen=True, slots=True)
class MapTo:
    """``destination`` ``None``: none after all."""

    source: str
    destination: Destination | None


@dataclass(frozen=True, slots=True)
class AddImage:
    """An image file as a destination."""

    path: str


@dataclass(frozen=True, slots=True)
class TakeProposals:
    pass


@dataclass(frozen=True, slots=True)
class SetOptions:
    options: Options


@dataclass(frozen=True, slots=True)
class SavePlan:
    path: str


@dataclass(frozen=True, slots=True)
class OpenFolder:
    path: str


@dataclass(frozen=True, slots=True)
class CopyTo:
    """Where the ticked files go."""

    folder: str


@dataclass(frozen=True, slots=True)
class CheckDisks:
    pass


@dataclass(frozen=True, slots=True)
class OpenTerminal:
    pass


@dataclass(frozen=True, slots=True)
class Leave:
    """Restart, or turn off; off the medium, close the window."""

    turn_off: bool = False


@dataclass(frozen=True, slots=True)
class LookAround:
    """Time has passed: how are network and clock now?"""


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


@dataclass(frozen=True, slots=True)
class SaveLog:
    path: str


# What came of a wish.


@dataclass(frozen=True, slots=True)
class CertificateUnknown:
    fingerprint: str
    why: str


@dataclass(frozen=True, slots=True)
class CodeShown:
    code: ShownCode


@dataclass(frozen=True, slots=True)
class PlaceOpened:
    place: Place
    workstations: tuple[Workstation, ...]


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """``wrong``: one was given and opened nothing. ``is_new``: it is chosen now."""

    shown: str
    place: Place
    workstation: int | None = None
    wrong: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class PointsFound:
    """``workstations`` may be more than were known: a folder tells them only once it is open."""

    workstations: tuple[Workstation, ...]
    unfolded: int | None


@dataclass(frozen=True, slots=True)
class ContentsFound:
    contents: tuple[StoredDisk, ...]


@dataclass(frozen=True, slots=True)
class DisksFound:
    disks: tuple[TargetDisk, ...]
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    plans: tuple[RowPlan, ...]


@dataclass(frozen=True, slots=True)
class ImageFound:
    destination: Destination


@dataclass(frozen=True, slots=True)
class PlanSaved:
    path: str


@dataclass(frozen=True, slots=True)
class BackUpPlanned:
    place: Place
    disks: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FolderListed:
    path: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class HealthFound:
    health: tuple[DiskHealth, ...]


@dataclass(frozen=True, slots=True)
class LookedAround:
    status: Status


@dataclass(frozen=True, slots=True)
class NetworkFound:
    state: NetworkState
    wifi: tuple[WifiNetwork, ...]


@dataclass(frozen=True, slots=True)
class SettingMade:
    """With what has come of it."""

    status: Status


@dataclass(frozen=True, slots=True)
class LogSaved:
    path: str


@dataclass(frozen=True, slots=True)
class Finished:
    report: Report


@dataclass(frozen=True, slots=True)
class Left:
    """A wish without news was granted."""


@dataclass(frozen=True, slots=True)
class Failed:
    problem: Problem


OpenSettings: TypeAlias = OpenNetwork | OpenProxy | OpenClock | OpenKeyboard
PersonsMove: TypeAlias = (
    GoBack
    | GoHome
    | ManageLocally
    | Choose
    | SelectData
    | OpenBrowse
    | ChooseCloud
    | ChooseLogIn
    | UseCode
    | TrustCertificate
    | ChooseStorage
    | UsePlace
    | Unfold
    | GivePassword
    | ChoosePoint
    | Check
    | Accept
    | MapTo
    | AddImage
    | TakeProposals
    | SetOptions
    | SavePlan
    | OpenFolder
    | CopyTo
    | CheckDisks
    | OpenTerminal
    | Leave
    | LookAround
    | OpenNetwork
    | OpenProxy
    | OpenClock
    | SearchNetworks
    | ChooseWifi
    | ChooseLink
    | UseAddress
    | UseGivenAddress
    | UseProxy
    | AskTimeServers
    | SetTime
    | OpenKeyboard
    | UseKeyboard
    | SaveLog
)
Answer: TypeAlias = (
    CertificateUnknown
    | CodeShown
    | PlaceOpened
    | PasswordWanted
    | PointsFound
    | ContentsFound
    | DisksFound
    | Planned
    | ImageFound
    | PlanSaved
    | BackUpPlanned
    | FolderListed
    | HealthFound
    | LookedAround
    | NetworkFound
    | SettingMade
    | LogSaved
    | Finished
    | Left
    | Failed
)
Move: TypeAlias = PersonsMove | Answer
