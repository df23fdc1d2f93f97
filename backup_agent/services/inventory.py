"""What disks there are: this computer's, or those that image files stand in for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backup_agent.errors import EverbootError
from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.model.disk import Disk, DiskLayout, Volume


@dataclass(frozen=True, slots=True)
class DiskView:
    """One disk with what could be learnt of it. ``problem``: why no more could be."""

    disk: Disk
    layout: DiskLayout | None
    volumes: tuple[Volume, ...]
    mounts: tuple[str, ...]
    problem: str = ""


def inspect_disks(images: Sequence[str] = ()) -> Iterator[DiskView]:
    """The disks of this computer, or only the image files named.

    One that cannot be read is shown with the reason. Raises ``SourceError``
    for an image that is not there, ``HostError``.
    """
    host = current_host()
    for disk in [host.disk(path) for path in images] or host.disks():
        yield _inspect(host, disk)


def _inspect(host: Host, disk: Disk) -> DiskView:
    mounts = tuple(host.mounts(disk.path))
    try:
        with host.open_disk(disk) as file:
            layout = read_layout(file, disk, sector_size=None)
            return DiskView(disk, layout, read_volumes(file, layout), mounts)
    except EverbootError as exc:
        return DiskView(disk, None, (), mounts, exc.message)
