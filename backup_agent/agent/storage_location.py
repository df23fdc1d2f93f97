"""Where a plan's restore points go: an address, or a folder on a disk that is known by its id."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from backup_agent.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageLocation:
    """``address`` empty: what the agent was started with, on a linked device its own vault.

    With ``file_system`` (the id that the file system has kept since it was made) the address is
    a folder in it, like ``/everboot``, wherever it is mounted. Credentials have no place in an
    address: they are a plan's secrets.
    """

    address: str = field(default="", repr=False)  # people do put credentials there
    file_system: str = ""
    label: str = ""
    """What people call the disk."""

    @property
    def key(self) -> str:
        """The name that its secrets are kept under: the same for all plans that share it."""
        return f"disk:{self.file_system}:{self.address}" if self.file_system else self.address

    def __str__(self) -> str:
        if self.file_system:
            return f"{self.address} on {self.label or self.file_system}"
        from backup_agent.services.repositories import masked

        return masked(self.address) or "the agent's own repository"


def location_on_disk(folder: Path) -> StorageLocation:
    """The folder by the id of the file system that it lies in. Raises ``UsageError`` where that
    has none that lasts.
    """
    from backup_agent.host.select import current_senses

    found = current_senses().file_system_of(folder)
    if found is None:
        raise UsageError(
            f"The file system that {folder} lies in has no id of its own.",
            hint="Name the folder by its path: --to.",
        )
    inside = folder.resolve().relative_to(found.place.resolve())
    return StorageLocation(
        address="/" + "/".join(inside.parts),
        file_system=found.id,
        label=found.label,
    )
