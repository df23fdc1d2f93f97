"""One volume of a disk image as a file of its own, for tools that know no disks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backup_agent.model.disk import Extent

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


def take_out(image: Path, volume: Extent, file: Path) -> None:
    """Copy a volume into a new file, with holes where it is zero."""
    with open(image, "rb") as disk, open(file, "wb") as copy:
        disk.seek(volume.start)
        copy.truncate(volume.size)
        for offset in range(0, volume.size, _BLOCK):
            block = disk.read(min(_BLOCK, volume.size - offset))
            if block != _ZEROS[: len(block)]:
                copy.seek(offset)
                copy.write(block)


def put_back(file: Path, image: Path, volume: Extent) -> None:
    """Write into the image what differs, so that its holes stay."""
    with open(file, "rb") as copy, open(image, "r+b") as disk:
        for offset in range(0, volume.size, _BLOCK):
            block = copy.read(_BLOCK)
            disk.seek(volume.start + offset)
            if disk.read(len(block)) != block:
                disk.seek(volume.start + offset)
                disk.write(block)


@contextmanager
def changed_in(image: Path, volume: Extent) -> Iterator[Path]:
    """The volume as a file beside the image; what is done to it is put back at the end."""
    file = image.with_name("volume.img")
    try:
        take_out(image, volume, file)
        yield file
        put_back(file, image, volume)
    finally:
        file.unlink(missing_ok=True)
