"""What Everboot asks of the operating system, whichever it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Protocol

from backup_agent.model.disk import Disk
from backup_agent.model.machine import Firmware


class Host(Protocol):
    """One operating system's answers. Failures are :class:`~backup_agent.errors.HostError`."""

    @property
    def hostname(self) -> str: ...

    @property
    def operating_system(self) -> str:
        """Name and version, as the system calls itself."""
        ...

    @property
    def firmware(self) -> Firmware:
        """What this computer was started by."""
        ...

    def disks(self) -> Sequence[Disk]:
        """The disks that are there now, sorted by path; no optical, RAM or loop devices."""
        ...

    def disk(self, path: str) -> Disk:
        """The disk, partition or image file with that path.

        Raises :class:`~backup_agent.errors.SourceError` if it is neither.
        """
        ...

    def open_disk(self, disk: Disk) -> io.RawIOBase:
        """Its bytes, for reading only: the source of a backup is never written.

        Raises :class:`~backup_agent.errors.PrivilegeError` where only the
        administrator may, :class:`~backup_agent.errors.SourceError` where it
        is gone.
        """
        ...

    def open_frozen_view(self, disk: Disk) -> io.RawIOBase | None:
        """Its bytes as they are now, whatever is written to it meanwhile; for reading only.

        ``None`` where this system cannot do that for this disk. Closing the
        file ends the view; one that a killed backup left behind ends when the
        next is opened. Raises :class:`~backup_agent.errors.FreezeFailedError`
        when there should be a view but it could not be made, and on reading
        when it could not be kept; else as :meth:`open_disk`.
        """
        ...

    def mounts(self, path: str) -> Sequence[str]:
        """Where file systems on that disk or image file are in use: mount points, ``[swap]``.

        Looks through partitions, volume managers and loop devices.
        """
        ...
