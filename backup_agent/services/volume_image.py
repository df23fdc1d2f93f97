"""A stored volume as one raw image: its parts, joined as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from backup_agent.errors import IntegrityError, NoSuchPointError, UnreadableError
from backup_agent.model.disk import Extent, Volume
from backup_agent.model.ids import BlobId
from backup_agent.repository.kept_blobs import KeptBlobs
from backup_agent.repository.reader import BlobReader
from backup_agent.repository.stored_file import Section, StoredFile
from backup_agent.services.browse import PointBrowser, TreePath


def open_volume_image(
    reader: BlobReader,
    browser: PointBrowser,
    folder: TreePath,
    volume: Volume,
    *,
    kept: KeptBlobs | None = None,
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
        kept=kept,
    )


@dataclass(frozen=True, slots=True)
class RawImage:
    """A volume's bytes as its disk gave them: where that had bad sectors, reading fails.

    What is stored in their place are zeros, which nobody may take for content.
    """

    stored: StoredFile
    unreadable: Sequence[Extent]

    def read_at(self, offset: int, size: int) -> bytes:
        """Fewer bytes than ``size`` only at the end.

        Raises ``UnreadableError``, ``IntegrityError``, ``StorageError``.
        """
        for bad in self.unreadable:
            if bad.start < offset + size and offset < bad.end:
                raise UnreadableError(
                    f"The disk could not be read here when it was backed up: {bad.size} bytes "
                    f"from byte {bad.start} of the volume."
                )
        return self.stored.read_at(offset, size)


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
