"""What each step of the demo has to show for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Made:
    """Something to protect lies in ``path`` now; ``files`` is 0 for a disk image."""

    path: str
    bytes: int
    files: int = 0


@dataclass(frozen=True, slots=True)
class Created:
    """A repository, and the file that holds its password."""

    repository: str
    id: str
    password_file: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What a user and the computer did. ``bytes_written`` of the ``bytes_total`` of the disk."""

    edited: str
    added: str
    deleted: str
    bytes_written: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class PointMade:
    """A restore point. ``bytes_stored``: what the added bytes take, compressed and encrypted."""

    id: str
    files: int
    bytes: int
    bytes_added: int
    bytes_stored: int


@dataclass(frozen=True, slots=True)
class PointListed:
    """One line of the list of restore points."""

    id: str
    time: datetime
    kind: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """The list, oldest first."""

    points: tuple[PointListed, ...]


@dataclass(frozen=True, slots=True)
class Browsed:
    """How much one folder holds, what a search found, what changed between the backups."""

    folder: str
    items: int
    pattern: str
    found: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zipped:
    """A zip of some files."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What both backups held, each brought back to one of ``paths``."""

    paths: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Proved:
    """How much was compared and found to be the same."""

    items: int
    disks: int
    zip_members: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How much of the repository was read to the last byte and found whole."""

    points: int
    packs: int


Outcome: TypeAlias = (
    Made | Created | Changed | PointMade | Listed | Browsed | Zipped | Restored | Proved | Checked
)
