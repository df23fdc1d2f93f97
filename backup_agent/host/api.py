"""What Everboot asks of the operating system, whichever it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from backup_agent.model.disk import Disk
from backup_agent.model.machine import Firmware


class BlockContent(Protocol):
    """The bytes of a block device that this process makes up."""

    @property
    def size(self) -> int:
        """A multiple of the sector size."""
        ...

    @property
    def sector_size(self) -> int: ...

    def read(self, offset: int, size: int) -> bytes:
        """Exactly so many bytes. Whatever is raised, the device answers as an I/O error."""
        ...

    def write(self, offset: int, data: bytes) -> None: ...


class WritableDisk(Protocol):
    """A disk, partition or image file that is being restored to; nobody else writes to it.

    ``OSError`` of the operating system comes through.
    """

    def read(self, start: int, size: int) -> bytes:
        """Fewer bytes than ``size`` only at the end."""
        ...

    def write(self, start: int, data: bytes | memoryview) -> None:
        """All of the data."""
        ...

    def zero(self, start: int, size: int) -> None:
        """Make those bytes read as zeros, as cheaply as can be done surely."""
        ...

    def discard(self, start: int, size: int) -> None:
        """Say that those bytes are not needed. What they read as afterwards is unknown.

        Does nothing where the drive knows no such thing.
        """
        ...

    def flush(self) -> None:
        """Return when everything written is on the medium, and forget what was cached of it."""
        ...

    def close(self) -> None:
        """Let the system look at the partition table anew."""
        ...


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

        Looks through partitions, volume managers and loop devices, and at image
        files that a FUSE file system was mounted from.
        """
        ...

    def attached_as(self, path: str) -> Sequence[str]:
        """The devices by which the system shows that image file, in use or not."""
        ...

    def volume_mounts(self, path: str, number: int) -> Sequence[str]:
        """As :meth:`mounts`, but of one partition; number 0 is an undivided disk's volume."""
        ...

    def offers_block_devices(self) -> bool:
        """Whether :meth:`block_device` can work on this computer and for this user."""
        ...

    def block_device(self, content: BlockContent) -> AbstractContextManager[str]:
        """The path of a block device with that content, while the context lasts.

        ``content`` is called by another thread, for one request at a time. At
        the end all that was written to the device has been written to it; what
        it raised meanwhile is raised again. Raises
        :class:`~backup_agent.errors.UnsupportedError` where there is no such
        device to be had.
        """
        ...

    def open_target(self, disk: Disk, *, create: bool = False) -> WritableDisk:
        """The disk for writing, for us alone. ``create``: an image file that is not there yet.

        An image file has ``disk.size`` bytes from now on. Raises
        :class:`~backup_agent.errors.TargetInUseError` where somebody else has
        it, :class:`~backup_agent.errors.PrivilegeError` where only the
        administrator may, :class:`~backup_agent.errors.TargetError` otherwise.
        """
        ...

    def start_on_disk(self, path: str) -> int | None:
        """Where a partition begins on its disk, in bytes; ``None`` for what is no partition."""
        ...

    def disk_around(self, path: str) -> str | None:
        """The path of the disk that a partition is a piece of; ``None`` for what is none."""
        ...
