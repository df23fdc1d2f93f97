"""What happens: what a person does, and in ``answers`` what came of a wish."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from rescue_media.flow.answers import Answer
from rescue_media.flow.settings_moves import SettingsMove
from rescue_media.flow.values import Destination, Options, Place, Point, Purpose, StorageKind


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
class Pause:
    """Hold the work that goes on."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Let it go on from where it was held."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Restart, or turn off; off the medium, close the window."""

    turn_off: bool = False


@dataclass(frozen=True, slots=True)
class LookAround:
    """Time has passed: how are network and clock now?"""


@dataclass(frozen=True, slots=True)
class SaveLog:
    path: str


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
    | Pause
    | Resume
    | Leave
    | LookAround
    | SaveLog
    | SettingsMove
)
Move: TypeAlias = PersonsMove | Answer
