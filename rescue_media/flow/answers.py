"""What came of a wish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rescue_media.flow.values import (
    Destination,
    DiskHealth,
    Item,
    Place,
    Problem,
    Report,
    RowPlan,
    ShownCode,
    Status,
    StoredDisk,
    TargetDisk,
    Workstation,
)
from rescue_media.network.state import NetworkState, WifiNetwork


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
