"""What is ticked in the table of contents, and what that means as rows of the mapping."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rescue_media.flow.values import Row, StoredDisk


def everything(contents: Sequence[StoredDisk]) -> frozenset[str]:
    """All disks with all their volumes: what most people want."""
    return frozenset(source for disk in contents for source in _of(disk))


def ticked(
    contents: Sequence[StoredDisk], checked: frozenset[str], source: str, *, on: bool
) -> frozenset[str]:
    """After a tick. A disk takes its volumes along; it is ticked itself where all of them are."""
    disk = next(d for d in contents if source in _of(d))
    changed = set(_of(disk)) if source == disk.source else {source}
    after = checked | changed if on else checked - changed
    volumes = {disk.source_of(volume) for volume in disk.volumes}
    if source != disk.source:
        after = after | {disk.source} if volumes <= after else after - {disk.source}
    return frozenset(after)


def rows_of(contents: Sequence[StoredDisk], checked: frozenset[str]) -> tuple[Row, ...]:
    """A disk that is ticked is one row, for its partition table belongs to it; others are rows by
    themselves.
    """
    return tuple(_rows(contents, checked))


def _rows(contents: Sequence[StoredDisk], checked: frozenset[str]) -> Iterator[Row]:
    for disk in contents:
        if disk.source in checked:
            shown = f"Disk {disk.number} {disk.model}".rstrip()
            yield Row(disk.source, shown, disk.size, disk.used, is_disk=True, serial=disk.serial)
            continue
        for volume in disk.volumes:
            source = disk.source_of(volume)
            if source in checked:
                yield Row(source, volume.name, volume.size, volume.size, is_disk=False)


def _of(disk: StoredDisk) -> tuple[str, ...]:
    return (disk.source, *(disk.source_of(volume) for volume in disk.volumes))
