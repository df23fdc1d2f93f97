"""A disk in a restore point, as far as a restore must know it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from backup_agent.errors import IntegrityError
from backup_agent.filesystems.boot_sector import Patch
from backup_agent.model.disk import DiskLayout, Volume
from backup_agent.model.ids import BlobId


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A stretch of content: its SHA-256, by which it is fetched and compared, and its length."""

    id: BlobId
    size: int

    @property
    def is_zero(self) -> bool:
        """Whether it holds nothing but zeros, told without reading it."""
        return self.id == _zeros_id(self.size)


class StoredDisk(Protocol):
    """What is read may fail as repositories do (:class:`~backup_agent.errors.IntegrityError`,
    :class:`~backup_agent.errors.StorageError`).
    """

    @property
    def identity(self) -> str:
        """Names this content and no other: the restore point's id and the disk's number."""
        ...

    @property
    def layout(self) -> DiskLayout: ...

    @property
    def volumes(self) -> Sequence[Volume]: ...

    def area_blobs(self, name: str) -> Iterable[StoredBlob]:
        """The content of ``head.img`` and the like, in order."""
        ...

    def part_blobs(self, volume: int, part: int) -> Iterable[StoredBlob]:
        """The content of one part of a volume's image, in order."""
        ...

    def fetch(self, blobs: Iterable[BlobId]) -> Iterator[bytes]:
        """The bytes of those blobs, in the order asked for, read ahead."""
        ...


@dataclass(frozen=True, slots=True)
class VolumeContent:
    """A stored volume's bytes, with what must be changed in them for the target."""

    stored: StoredDisk
    volume: Volume
    patches: tuple[Patch, ...] = ()

    def blobs(self) -> Iterator[tuple[int, StoredBlob]]:
        """Each blob and where in the volume it begins.

        Raises :class:`IntegrityError` for a part that is longer or shorter than it should be.
        """
        for number, part in enumerate(self.volume.parts()):
            end = part.start
            for blob in self.stored.part_blobs(self.volume.number, number):
                if end + blob.size > part.end:
                    end += blob.size
                    break
                yield end, blob
                end += blob.size
            if end != part.end:
                raise IntegrityError(
                    f"Part {number} of volume {self.volume.number} is not as long as it should"
                    f" be ({part.size} bytes).",
                    hint="Run everboot check; another restore point may be whole.",
                )

    def is_patched(self, start: int, size: int) -> bool:
        return any(start < patch.end and patch.offset < start + size for patch in self.patches)

    def patched(self, start: int, data: bytes) -> bytes:
        """``data``, which stands at ``start`` of the volume, as the target must hold it."""
        for patch in self.patches:
            data = patch.over(data, start)
        return data


def read_area(stored: StoredDisk, name: str, size: int) -> bytes:
    """The whole of an area beside the volumes (at most 16 MiB).

    Raises :class:`IntegrityError` if it is not ``size`` bytes long.
    """
    data = b"".join(stored.fetch(blob.id for blob in stored.area_blobs(name)))
    if len(data) != size:
        raise IntegrityError(
            f"{name} is not as long as it should be ({len(data)} instead of {size} bytes).",
            hint="Run everboot check; another restore point may be whole.",
        )
    return data


@lru_cache(maxsize=64)
def _zeros_id(size: int) -> bytes:
    return hashlib.sha256(bytes(size)).digest()
