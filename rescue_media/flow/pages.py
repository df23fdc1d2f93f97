"""The pages a person can stand on, each a value with all that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from backup_agent.model.media import MediaSettings
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
    Row,
    RowPlan,
    ShownCode,
    Status,
    StorageKind,
    StoredDisk,
    TargetDisk,
    Workstation,
)
from rescue_media.network.state import Link, NetworkState, WifiNetwork


@dataclass(frozen=True, slots=True)
class Start:
    """The first page, "Rescue Media"."""


@dataclass(frozen=True, slots=True)
class Manage:
    """Behind "Manage the device locally"."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Behind "Restore", with "Select data…"."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Browse:
    """Where the backups lie, or are to lie."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Cloud:
    """Behind "Cloud Storage": "Log In", or "Use the registration code"."""

    purpose: Purpose
    console: str = ""
    media_code: str = ""


@dataclass(frozen=True, slots=True)
class LogIn:
    """Behind "Log In"."""

    cloud: Cloud


@dataclass(frozen=True, slots=True)
class Certificate:
    """A console's certificate that no authority vouches for, to be compared by a person."""

    cloud: Cloud
    fingerprint: str
    why: str


@dataclass(frozen=True, slots=True)
class Code:
    """The registration code, and waiting for somebody to type it. ``shown`` comes after asking."""

    cloud: Cloud
    shown: ShownCode | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A folder, or storage without a console."""

    purpose: Purpose
    kind: StorageKind


@dataclass(frozen=True, slots=True)
class Select:
    """Two tables: workstations with their restore points, and what the chosen point holds."""

    purpose: Purpose
    place: Place | None = None
    workstations: tuple[Workstation, ...] = ()
    workstation: int | None = None
    point: Point | None = None
    contents: tuple[StoredDisk, ...] = ()
    checked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Password:
    """The encryption password of a workstation's backups. ``is_new``: of those to be made."""

    shown: str
    place: Place
    workstation: int | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """Volume mapping with "Restore Options". ``plans`` are those of the rows that have a place."""

    select: Select
    rows: tuple[Row, ...]
    disks: tuple[TargetDisk, ...] = ()
    destinations: tuple[Destination, ...] = ()
    options: Options = field(default_factory=Options)
    plans: tuple[RowPlan, ...] = ()

    @property
    def required(self) -> int:
        """Rows without a destination."""
        return sum(row.destination is None for row in self.rows)

    @property
    def is_ready(self) -> bool:
        """Every row has a place, and the engine has a plan for each."""
        return (
            bool(self.rows)
            and not self.required
            and len(self.plans) == len(self.rows)
            and not any(plan.refused for plan in self.plans)
        )


@dataclass(frozen=True, slots=True)
class Confirm:
    """The plan, before the last "OK". ``saved`` names the file it was saved to."""

    mapping: Mapping
    saved: str = ""


@dataclass(frozen=True, slots=True)
class BackUpPlan:
    """What "Back up this computer" will read."""

    place: Place
    disks: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """Single files of a restore point. ``checked`` are paths."""

    select: Select
    path: str
    items: tuple[Item, ...] = ()
    checked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Running:
    """Work goes on; how far it is, the window hears beside the flow."""

    title: str
    purpose: Purpose
    restarts: bool = False
    plans: tuple[RowPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and what was not. ``saved`` names the file that the log was saved to."""

    report: Report
    saved: str = ""


@dataclass(frozen=True, slots=True)
class Disks:
    """What the drives say of themselves; ``None`` until they were asked."""

    health: tuple[DiskHealth, ...] | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Adapters and wireless networks in reach; ``state`` ``None`` until they were asked for."""

    state: NetworkState | None = None
    wifi: tuple[WifiNetwork, ...] = ()


@dataclass(frozen=True, slots=True)
class Wifi:
    """The password of a wireless network."""

    network: WifiNetwork


@dataclass(frozen=True, slots=True)
class LinkAddress:
    """An address of one's own for an adapter, or the one that the network gives."""

    link: Link


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy between here and the storage."""


@dataclass(frozen=True, slots=True)
class DateAndTime:
    """The clock, by time servers or by hand."""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The keyboard's layout; the window begins anew with another one."""


SettingsPage: TypeAlias = Network | Wifi | LinkAddress | Proxy | DateAndTime | Keyboard

Page: TypeAlias = (
    SettingsPage
    | Start
    | Manage
    | Begin
    | Browse
    | Cloud
    | LogIn
    | Certificate
    | Code
    | Address
    | Select
    | Password
    | Mapping
    | Confirm
    | BackUpPlan
    | Files
    | Running
    | Done
    | Disks
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the application runs. ``media``: what the medium carries in its settings slot.

    ``keyboard`` names its layout (``EN-US``) where that is known.
    """

    on_medium: bool = False
    keyboard: str = ""
    media: MediaSettings = field(default_factory=MediaSettings)


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a person is. ``trail``: the pages behind, for "Back". ``busy``: what is waited for.

    ``paused``: the work on the page is held.
    """

    page: Page = field(default_factory=Start)
    trail: tuple[Page, ...] = ()
    busy: str = ""
    problem: Problem | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)
    status: Status = field(default_factory=Status)
    paused: bool = False
