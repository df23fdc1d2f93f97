"""Files inside an image of rescue media, found without mounting it."""

from __future__ import annotations

from typing import BinaryIO

from backup_agent.errors import IntegrityError
from backup_agent.format.iso9660 import DESCRIPTOR, folder_entries, root_entry
from backup_agent.model.disk import Extent

_LARGEST_FOLDER = 1 << 20


def find_in_image(image: BinaryIO, path: str) -> Extent:
    """Where the file with that path lies. Raises :class:`IntegrityError` if it is not there."""
    entry = root_entry(_read(image, DESCRIPTOR))
    for name in path.split("/"):
        if not entry.is_folder or entry.extent.size > _LARGEST_FOLDER:
            raise _no_medium(path)
        inside = folder_entries(_read(image, entry.extent))
        found = next((one for one in inside if one.name == name), None)
        if found is None:
            raise _no_medium(path)
        entry = found
    return entry.extent


def read_from_image(image: BinaryIO, path: str) -> bytes:
    """Raises :class:`IntegrityError` if it is not there."""
    return _read(image, find_in_image(image, path))


def _read(image: BinaryIO, extent: Extent) -> bytes:
    image.seek(extent.start)
    data = image.read(extent.size)
    if len(data) < extent.size:
        raise IntegrityError("The image ends too early.", hint="Download or build it again.")
    return data


def _no_medium(path: str) -> IntegrityError:
    return IntegrityError(f"The image has no {path}: it is no Everboot rescue media.")
