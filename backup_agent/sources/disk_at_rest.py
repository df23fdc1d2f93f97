"""A disk that does not change while it is read: unused, or seen through a frozen view."""

from __future__ import annotations

import io

from backup_agent.errors import FreezeFailedError
from backup_agent.host.api import Host
from backup_agent.model.disk import Disk


def open_at_rest(host: Host, disk: Disk, *, allow_mounted: bool) -> io.RawIOBase:
    """The disk's bytes; of one in use, those of this moment. Close it after the backup.

    Where the system has no frozen view for it, ``allow_mounted`` takes the
    bytes as they come. Raises :class:`FreezeFailedError`, and what
    ``host.open_disk`` raises.
    """
    places = host.mounts(disk.path)
    if not places:
        return host.open_disk(disk)
    try:
        if view := host.open_frozen_view(disk):
            return view
    except FreezeFailedError:
        if not allow_mounted:
            raise
    if allow_mounted:
        return host.open_disk(disk)
    raise FreezeFailedError(
        f"{disk.path} is in use ({', '.join(places)}). A disk that changes while it is read"
        " would be stored half as it was before and half as it was after.",
        hint="Unmount it, or accept that with --allow-mounted (for a plan: when it is added)."
        " An LVM logical volume can be backed up while in use, but on its own:"
        " --disk /dev/GROUP/VOLUME.",
    )
