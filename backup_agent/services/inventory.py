"""What disks there are: this computer's, or those that image files stand in for."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backup_agent.errors import EverbootError, HostError, SourceError, TargetError
from backup_agent.filesystems.layout import read_layout, read_volumes
from backup_agent.filesystems.used.survey import survey_volume
from backup_agent.host.api import Host
from backup_agent.host.select import current_host
from backup_agent.model.disk import Disk, DiskLayout, Volume
from backup_agent.targets.disk.refuse import look_at_target


@dataclass(frozen=True, slots=True)
class VolumeView:
    """A volume, with what of it is used, and where its file system is mounted."""

    volume: Volume
    mounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiskView:
    """One disk with what could be learnt of it. ``problem``: why no more could be.

    ``backup_refused`` and ``restore_refused`` say why a backup of it, or a
    restore to it, would be refused as things stand; empty where it would not.
    """

    disk: Disk
    layout: DiskLayout | None
    volumes: tuple[VolumeView, ...]
    mounts: tuple[str, ...]
    problem: str = ""
    backup_refused: str = ""
    restore_refused: str = ""


def inspect_disks(images: Sequence[str] = (), *, repository: str = "") -> Iterator[DiskView]:
    """The disks of this computer, or only the image files named; nothing is written.

    ``repository`` is its location, if there is one: the disk that holds it is
    no target. A disk that cannot be read is shown with the reason. Raises
    ``SourceError`` for an image that is not there, ``HostError``.
    """
    host = current_host()
    for disk in [host.disk(path) for path in images] or host.disks():
        yield _inspect(host, disk, repository)


def _inspect(host: Host, disk: Disk, repository: str) -> DiskView:
    mounts = tuple(host.mounts(disk.path))
    seen = DiskView(
        disk, None, (), mounts, restore_refused=_restore_refused(host, disk, repository)
    )
    try:
        with host.open_disk(disk) as file:
            layout = read_layout(file, disk, sector_size=disk.sector_size)
            volumes = tuple(_volumes(host, disk, file, layout))
    except EverbootError as exc:
        return replace(seen, problem=exc.message, backup_refused=exc.message)
    except OSError as exc:
        problem = f"It cannot be read: {exc.strerror}."
        return replace(seen, problem=problem, backup_refused=problem)
    in_use = ""
    if mounts:
        in_use = (
            f"It is in use ({', '.join(mounts)}): unmount it, name an LVM volume on it alone, "
            "or use --allow-mounted."
        )
    return replace(seen, layout=layout, volumes=volumes, backup_refused=in_use)


def _volumes(
    host: Host, disk: Disk, file: io.RawIOBase, layout: DiskLayout
) -> Iterator[VolumeView]:
    for volume in read_volumes(file, layout):
        survey = survey_volume(file, volume, include_all=True)
        described = replace(
            volume,
            used_bytes=survey.space.used_bytes if survey.space else None,
            remarks=survey.remarks,
            unclean=survey.unclean,
        )
        yield VolumeView(described, tuple(host.volume_mounts(disk.path, volume.number)))


def _restore_refused(host: Host, disk: Disk, repository: str) -> str:
    try:
        look_at_target(Path(disk.path), wanted_size=disk.size, repository=repository, host=host)
    except (TargetError, HostError, SourceError) as exc:
        return exc.message
    return ""
