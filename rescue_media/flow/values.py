"""What the pages show and people choose among. Sizes are bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from backup_agent.model.disk import Disk
from backup_agent.services.restore_disk import DiskPicture
from rescue_media.clock.setting import ClockState
from rescue_media.network.state import NetworkState


class Purpose(StrEnum):
    """What somebody came for."""

    RESTORE = "restore"
    BACK_UP = "back up"
    COPY_FILES = "copy files"


class StorageKind(StrEnum):
    """Where backups lie, as people say it."""

    FOLDER = "Folder or USB disk"
    S3 = "S3"
    SWIFT = "Swift"
    WEBDAV = "WebDAV"
    REST = "REST server"


@dataclass(frozen=True, slots=True)
class Place:
    """Where backups lie. ``settings`` are environment variables with the credentials for it.

    ``is_console``: the address is that of a console we are linked to, and its vaults are the
    workstations.
    """

    address: str = field(repr=False)
    shown: str
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    is_console: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A restore point. ``state`` is a word for people; ``is_disk``: of whole disks."""

    id: str
    time: datetime
    is_disk: bool
    size: int | None
    state: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Workstation:
    """A computer that was backed up. ``points`` is ``None`` until it was unfolded, newest first."""

    name: str
    address: str = field(repr=False)
    points: tuple[Point, ...] | None = None


@dataclass(frozen=True, slots=True)
class StoredVolume:
    """A volume in a restore point. ``used`` is ``None`` where all of it was stored."""

    number: int
    name: str
    file_system: str
    start: int
    size: int
    used: int | None


@dataclass(frozen=True, slots=True)
class StoredDisk:
    """A disk in a restore point."""

    number: int
    model: str
    serial: str
    table: str
    size: int
    volumes: tuple[StoredVolume, ...]

    @property
    def source(self) -> str:
        return f"disk{self.number}"

    def source_of(self, volume: StoredVolume) -> str:
        return f"disk{self.number}/volume{volume.number}"

    @property
    def used(self) -> int:
        """What is to be read of it."""
        return sum(v.size if v.used is None else v.used for v in self.volumes)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where something can go. ``refused`` is the reason why it cannot, if there is one.

    ``partition`` is its number, for what is no whole disk. ``holds`` are words for what is lost.
    """

    path: str
    shown: str
    size: int
    refused: str = ""
    partition: int | None = None
    serial: str = ""
    holds: str = ""
    sector_size: int | None = None
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class TargetDisk:
    """A disk of this computer, with what is on it now."""

    disk: Disk
    picture: DiskPicture | None
    volumes: tuple[StoredVolume, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the volume mapping. ``destination`` ``None`` is shown as "Required"."""

    source: str
    shown: str
    size: int
    needed: int
    """Bytes that are in use: a smaller destination cannot do."""
    is_disk: bool
    serial: str = ""
    destination: Destination | None = None
    proposal: Destination | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What "Restore Options" holds."""

    automatic_restart: bool = True
    verify: bool = True
    new_guids: bool = False
    grow: bool = True


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What the engine will do for one row, or in ``refused`` and ``hint`` why it will not."""

    source: str
    target: str
    before: DiskPicture | None = None
    after: DiskPicture | None = None
    actions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lost: str = ""
    """What is on the destination now."""
    bytes_to_write: int = 0
    repairs: tuple[str, ...] = ()
    """What is looked at afterwards so that it starts, and why."""
    refused: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What a person types in the console. ``expires_in`` seconds from when it was asked for."""

    user_code: str
    address: str
    key: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Item:
    """A file or folder of a restore point. ``path`` as ``everboot ls`` shows it."""

    path: str
    name: str
    is_folder: bool
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class DiskHealth:
    """What a drive says of itself (SMART). ``is_good`` is ``None`` where it says nothing."""

    disk: str
    is_good: bool | None
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart by itself after ``seconds``; ``request`` is what a person should do meanwhile."""

    seconds: int
    request: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """How it ended, in sentences. ``not_needed``: steps left out, each with its reason.

    ``remarks`` are for whoever starts the computer; ``restart`` is ``None`` where it stays on.
    """

    title: str
    done: tuple[str, ...]
    not_done: tuple[str, ...] = ()
    not_needed: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    is_complete: bool = True
    restart: Restart | None = None


@dataclass(frozen=True, slots=True)
class Computer:
    """In words: maker, memory, firmware; and for each disk its name and what it is."""

    shown: str
    disks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How network, clock and computer are; ``None`` where nobody can tell."""

    network: NetworkState | None = None
    clock: ClockState | None = None
    computer: Computer | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something did not work, and what to try."""

    message: str
    hint: str = ""
