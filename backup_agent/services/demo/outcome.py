"""What each step of the demo has to show for itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from backup_agent.services.restore_disk import DiskPicture


@dataclass(frozen=True, slots=True)
class DocumentsReady:
    """A folder of files to protect."""

    path: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class ComputerReady:
    """A disk image to protect. ``page_file`` bytes of it are not worth keeping."""

    path: str
    bytes: int
    page_file: int


@dataclass(frozen=True, slots=True)
class Created:
    """A repository, and the file that holds its password."""

    repository: str
    id: str
    password_file: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What a user and the computer did.

    ``on_disk`` are paths on the Windows volume. ``bytes_written`` there,
    of ``bytes_total`` in all files of the disk.
    """

    edited: str
    added: str
    deleted: str
    on_disk: tuple[str, ...]
    bytes_written: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class PointMade:
    """A restore point; of a disk if ``files`` is 0.

    ``bytes_stored``: what the added bytes take, compressed and encrypted.
    ``left_out`` are paths of what was left out on purpose.
    """

    id: str
    files: int
    bytes: int
    bytes_added: int
    bytes_stored: int
    left_out: tuple[str, ...]


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
class SeenByRestic:
    """The ids of the restore points that stock restic lists; it found no errors."""

    version: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Browsed:
    """How much one folder holds, what a search found, what changed between the backups."""

    folder: str
    items: int
    pattern: str
    found: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrowsedInside:
    """What stands in one folder inside a stored volume."""

    folder: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A folder inside a stored volume, restored to ``path``, and another one as a zip."""

    folder: str
    path: str
    files: int
    bytes: int
    zipped_folder: str
    zip: str
    zip_bytes: int


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
class DiskRestored:
    """A disk brought back to the image ``path``; the plan's pictures of both layouts."""

    path: str
    before: DiskPicture
    after: DiskPicture


@dataclass(frozen=True, slots=True)
class Proved:
    """How much was compared and found to be the same."""

    items: int
    disks: int
    disk_items: int
    taken_out: int
    zip_members: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How much of the repository was read to the last byte and found whole."""

    points: int
    packs: int


Outcome: TypeAlias = (
    DocumentsReady
    | ComputerReady
    | Created
    | Changed
    | PointMade
    | Listed
    | SeenByRestic
    | Browsed
    | BrowsedInside
    | TakenOut
    | Zipped
    | Restored
    | DiskRestored
    | Proved
    | Checked
)
