"""A stored volume as one raw image: its parts, joined as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from backup_agent.errors import IntegrityError, NoSuchPointError
from backup_agent.model.disk import Volume
from backup_agent.model.ids import BlobId
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.stored_file import Section, StoredFile
from backup_agent.services.browse import PointBrowser, TreePath


def open_volume_image(
    reader: BlobReader, browser: PointBrowser, folder: TreePath, volume: Volume
) -> StoredFile:
    """The raw image of the volume stored in that folder (``/disks/0/volumes/2``).

    A part that is missing or has another size than it should shows when it is
    read, as an ``IntegrityError``: the others can be read all the same.
    """
    return StoredFile(
        reader,
        [
            Section(part.size, partial(_part_blobs, browser, folder, number, part.size))
            for number, part in enumerate(volume.parts())
        ],
    )


def _part_blobs(
    browser: PointBrowser, folder: TreePath, number: int, size: int
) -> Sequence[BlobId]:
    path = (*folder, b"image", b"%04d" % number, b"part")
    try:
        node = browser.find(path)
    except NoSuchPointError as exc:
        raise IntegrityError(
            f"The disk restore point is not whole: {exc.message}", hint="Run everboot check."
        ) from exc
    if node.size != size:
        raise IntegrityError(
            f"Part {number} of the volume has {node.size} bytes instead of {size}.",
            hint="Run everboot check.",
        )
    return node.content or ()
