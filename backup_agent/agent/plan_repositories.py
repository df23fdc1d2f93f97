"""From a plan to its repository: where that lies now, and what opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from backup_agent.agent.desk import Reach, Secrets
from backup_agent.agent.plan import Plan
from backup_agent.agent.secret_store import SecretStore
from backup_agent.agent.settings import Settings
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import TransientStorageError

if TYPE_CHECKING:
    # An agent that waits needs no engine in memory.
    from backup_agent.services.repositories import Access

DiskFolder: TypeAlias = Callable[[str], Path | None]
"""Where the file system with that id is mounted now; None: nowhere."""


class PlanRepositories:
    """``default`` is how this process reaches a repository by its address: with options, a cache,
    and for an empty address with the one that it was started with.
    """

    def __init__(
        self,
        default: Callable[[str], Access],
        secrets: SecretStore,
        settings: Settings,
        *,
        disk_folder: DiskFolder,
    ) -> None:
        self._default = default
        self._secrets = secrets
        self._settings = settings
        self._disk_folder = disk_folder

    def is_present(self, location: StorageLocation) -> bool:
        """Whether the disk it lies on is there; one that lies on none always is."""
        return not location.file_system or self._disk_folder(location.file_system) is not None

    def access(self, location: StorageLocation, *, secrets: Secrets | None = None) -> Access:
        """``secrets`` None: those that are kept. Raises ``TransientStorageError``,
        ``UsageError``.
        """
        known = secrets or self._secrets.get(location.key) or Secrets()
        access = self._default(self._address(location))
        limits = self._settings.agent()
        return replace(
            access,
            password=(lambda: known.password) if known.password else access.password,
            environment={**access.environment, **known.variables},
            options=replace(
                access.options,
                limit_upload=access.options.limit_upload or limits.upload_limit,
                limit_download=access.options.limit_download or limits.download_limit,
            ),
        )

    def reach(self, plan: Plan) -> Reach:
        """Raises ``TransientStorageError``, ``UsageError``."""
        access = self.access(plan.location)
        known = self._secrets.get(plan.location.key) or Secrets()
        return Reach(address=access.address, secrets=Secrets(access.password(), known.variables))

    def _address(self, location: StorageLocation) -> str:
        """Where it is now; empty for the default. Raises ``TransientStorageError``."""
        if not location.file_system:
            return location.address
        root = self._disk_folder(location.file_system)
        if root is None:
            raise TransientStorageError(
                f"The disk {location.label or location.file_system} is not connected.",
                hint="Plug it in. The plan runs as soon as it is there.",
            )
        return str(root / location.address.lstrip("/"))
