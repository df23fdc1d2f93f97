"""The disks of this computer as places to restore to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from backup_agent.errors import UsageError
from backup_agent.model.disk import DiskLayout, Extent, FileSystemKind
from backup_agent.qtkit import words
from backup_agent.services.inventory import DiskView
from backup_agent.services.restore_disk import DiskPicture, Placed
from rescue_media.errands.restore_points import stored_volume, volume_name
from rescue_media.flow.answers import DisksFound, ImageFound
from rescue_media.flow.values import Destination, TargetDisk


def disks_found(views: Iterable[DiskView]) -> DisksFound:
    """Each disk, and each of its partitions, with the reason where it cannot be chosen."""
    disks: list[TargetDisk] = []
    destinations: list[Destination] = []
    for number, view in enumerate(views):
        layout = view.layout
        volumes = (
            tuple(stored_volume(seen.volume, layout) for seen in view.volumes) if layout else ()
        )
        picture = _picture(layout, view) if layout else None
        disks.append(TargetDisk(view.disk, picture, volumes, view.problem or view.restore_refused))
        destinations += _destinations(number, view)
    return DisksFound(tuple(disks), tuple(destinations))


def look_at_image(path: str, size: int) -> ImageFound:
    """A file to restore into, as it was typed. Raises ``UsageError``."""
    file = Path(path).expanduser()
    if not path or not file.is_absolute():
        raise UsageError("Name the file with its whole path.", hint="For instance /mnt/pc.img")
    if not file.parent.is_dir():
        raise UsageError(f"There is no folder {file.parent}.", hint="Make it first.")
    return ImageFound(image_destination(file, size))


def image_destination(path: Path, size: int) -> Destination:
    """A file to restore into, of that size where it does not exist or is empty yet."""
    there = path.stat().st_size if path.is_file() else 0
    return Destination(str(path), f"File {path}", there or size, is_image=True)


def _destinations(number: int, view: DiskView) -> Iterator[Destination]:
    disk = view.disk
    named = f"Disk {number}"
    shown = ", ".join(filter(None, (named, disk.model, words.size(disk.size))))
    yield Destination(
        disk.path,
        shown,
        disk.size,
        refused=view.restore_refused,
        serial=disk.serial,
        holds=_holds(view),
        sector_size=disk.sector_size,
        is_image=disk.is_image,
    )
    if disk.is_image or view.layout is None:
        # A partition inside a file has no name of its own to restore to.
        return
    for seen in view.volumes:
        if not seen.volume.number:
            continue
        name = volume_name(seen.volume, view.layout)
        yield Destination(
            partition_path(disk.path, seen.volume.number),
            f"{named}, partition {seen.volume.number}, {name}, {words.size(seen.volume.size)}",
            seen.volume.size,
            refused=f"It is in use ({', '.join(seen.mounts)})." if seen.mounts else "",
            partition=seen.volume.number,
            holds=name,
            sector_size=disk.sector_size,
        )


def _holds(view: DiskView) -> str:
    """What is lost, in words; empty for a disk that nobody has divided or formatted."""
    if view.layout is None:
        return "whatever is on it, for it cannot be read"
    known = [
        volume_name(seen.volume, view.layout)
        for seen in view.volumes
        if seen.volume.number or seen.volume.file_system.kind is not FileSystemKind.UNKNOWN
    ]
    return ", ".join(known)


def partition_path(disk: str, number: int) -> str:
    """``/dev/sda2``, ``/dev/nvme0n1p2``: Linux puts a p behind a name that ends in a digit."""
    return f"{disk}{'p' if disk[-1].isdigit() else ''}{number}"


def _picture(layout: DiskLayout, view: DiskView) -> DiskPicture:
    return DiskPicture(
        layout.size,
        layout.table.sector_size,
        layout.table.kind,
        tuple(
            Placed(
                seen.volume.number,
                Extent(seen.volume.start, seen.volume.size),
                volume_name(seen.volume, layout),
            )
            for seen in view.volumes
        ),
    )
