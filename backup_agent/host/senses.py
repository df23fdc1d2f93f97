"""What a computer can tell of its circumstances: power, network, people, time zone, disks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MountedFileSystem:
    """``id`` is what the file system has been called by since it was made."""

    id: str
    label: str
    place: Path


class Senses(Protocol):
    """None stands for "nobody can tell", and never raises."""

    def on_battery(self) -> bool | None:
        """Whether it runs on its battery now."""
        ...

    def metered(self) -> bool | None:
        """Whether its connection costs by volume."""
        ...

    def idle_seconds(self) -> float | None:
        """How long nobody has touched it."""
        ...

    def zone(self) -> tzinfo:
        """Its time zone, which may change while it travels."""
        ...

    def mounted_at(self, file_system: str) -> Path | None:
        """Where the file system with that id is mounted now."""
        ...

    def file_system_of(self, path: Path) -> MountedFileSystem | None:
        """The one that the path lies in; None for one without an id (memory, network)."""
        ...
