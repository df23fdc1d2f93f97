"""From a plan to its repository: where that lies now, what opens it, how fast it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from backup_agent.agent.conditions import Bandwidth, bandwidth_at
from backup_agent.agent.desk import Reach, Secrets
from backup_agent.agent.plan import Plan
from backup_agent.agent.secret_store import SecretStore
from backup_agent.agent.settings import Settings
from backup_agent.agent.storage_location import StorageLocation
from backup_agent.errors import TransientStorageError
from backup_agent.model.cancel import CancelToken
from backup_agent.model.events import Emit
from backup_agent.services.repositories import Access, Repository, local_folder, opened

DiskFolder: TypeAlias = Callable[[str], Path | None]
"""Where the file system with that id is mounted now; None: nowhere."""


class PlanRepositories:
    """``default`` is how this process reaches a repository: options, cache, and the address and
    password for plans that name none.
    """

    def __init__(
        self,
        default: Callable[[str], Access],
        secrets: SecretStore,
        settings: Settings,
        *,
        disk_folder: DiskFolder,
        now: Callable[[], datetime],
    ) -> None:
        self._default = default
        self._secrets = secrets
        self._settings = settings
        self._disk_folder = disk_folder
        self._now = now

    def is_present(self, location: StorageLocation) -> bool:
        """Whether the disk it lies on is there; one that lies on none always is."""
        return not location.file_system or self._disk_folder(location.file_system) is not None

    def address(self, location: StorageLocation) -> str:
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

    def access(
        self,
        location: StorageLocation,
        *,
        secrets: Secrets | None = None,
        limits: tuple[Bandwidth, ...] = (),
    ) -> Access:
        """``secrets`` None: those that are kept. Raises ``TransientStorageError``,
        ``UsageError``.
        """
        known = secrets or self._secrets.get(location.key) or Secrets()
        access = self._default(self.address(location))
        options = replace(access.options, rates=lambda: self._rates(limits))
        return replace(
            access,
            password=(lambda: known.password) if known.password else access.password,
            environment={**access.environment, **known.variables},
            options=options,
        )

    def reach(self, plan: Plan) -> Reach:
        """Raises ``TransientStorageError``, ``UsageError``."""
        access = self.access(plan.location)
        known = self._secrets.get(plan.location.key) or Secrets()
        return Reach(address=access.address, secrets=Secrets(access.password(), known.variables))

    def folder(self, plan: Plan) -> Path | None:
        return local_folder(self._default(self.address(plan.location)).address)

    @contextmanager
    def opened(self, plan: Plan, *, emit: Emit, cancel: CancelToken) -> Iterator[Repository]:
        access = self.access(plan.location, limits=plan.bandwidth)
        with opened(access, emit=emit, cancel=cancel) as repository:
            yield repository

    def _rates(self, limits: tuple[Bandwidth, ...]) -> tuple[int, int]:
        """KiB/s up and down at this moment: the plan's own, else those of all plans."""
        of_plan = bandwidth_at(limits, self._now().time())
        of_all = self._settings.agent()
        return (
            of_plan.upload or of_all.upload_limit,
            of_plan.download or of_all.download_limit,
        )
