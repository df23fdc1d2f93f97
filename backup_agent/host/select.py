"""Which operating system this is: the only place that knows all of them."""

from __future__ import annotations

import sys

from backup_agent.errors import UnsupportedError
from backup_agent.host.api import Host
from backup_agent.host.local_door import LocalDoors
from backup_agent.host.mounting import Mounter
from backup_agent.host.senses import Senses


def current_host() -> Host:
    """The answerer for this operating system. Raises :class:`UnsupportedError` for others."""
    if sys.platform == "linux":
        from backup_agent.host.linux.host import LinuxHost

        return LinuxHost()
    raise UnsupportedError(f"Disks cannot be backed up on {sys.platform}.")


def current_mounter() -> Mounter:
    """Who mounts on this operating system. Raises :class:`UnsupportedError` for others."""
    if sys.platform == "linux":
        from backup_agent.host.linux.fuse_mount import FuseMounter

        return FuseMounter()
    raise UnsupportedError(f"Restore points cannot be mounted on {sys.platform}.")


def current_senses() -> Senses:
    """Who tells of this computer's circumstances, as far as anybody can."""
    if sys.platform == "linux":
        from backup_agent.host.linux.senses import LinuxSenses

        return LinuxSenses()
    from backup_agent.host.plain_senses import PlainSenses

    return PlainSenses()


def local_doors() -> LocalDoors:
    """How processes of this computer speak. Raises :class:`UnsupportedError` for others."""
    if sys.platform == "linux":
        from backup_agent.host.linux.local_doors import UnixDoors

        return UnixDoors()
    raise UnsupportedError(f"Processes cannot speak to each other on {sys.platform} yet.")


def has_conversations() -> bool:
    """Whether :class:`~backup_agent.host.command.Conversation` works: Windows cannot wait for
    pipes as others do.
    """
    return sys.platform != "win32"
