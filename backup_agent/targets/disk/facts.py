"""What a plan must know of a stored volume beyond its description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backup_agent.errors import IntegrityError
from backup_agent.filesystems.boot_sector import boot_sector_copy, volume_sector_size
from backup_agent.filesystems.ext import SUPERBLOCK, has_clusters
from backup_agent.filesystems.mbr import parse_boot_record
from backup_agent.model.disk import AreaKind, DiskLayout, Extent, FileSystemKind, TableKind, Volume
from backup_agent.targets.disk.stored import StoredDisk, VolumeContent

EXTS = frozenset({FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4})
RESIZABLE = EXTS | {FileSystemKind.NTFS}
"""What ntfsresize and resize2fs understand. Nobody shrinks FAT or exFAT safely."""

_MIB = 1 << 20
_BOOT_BYTES = 512
# Room for what a file system needs to move its own tables about.
_SPARE_BYTES = 4 * _MIB
_SPARE_SHARE = 20


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """``boot`` is its first sector; ``stored_bytes`` counts the blobs that are not all zeros.

    ``has_clusters``: an ext file system with the feature bigalloc.
    """

    volume: Volume
    boot: bytes
    stored_bytes: int
    has_boot_copy: bool
    has_clusters: bool = False

    @property
    def kind(self) -> FileSystemKind:
        return self.volume.file_system.kind

    @property
    def sector_size(self) -> int | None:
        """The sector size that the file system was made for; ``None`` where it does not care."""
        return volume_sector_size(self.kind, self.boot)

    @property
    def largest_sector(self) -> int | None:
        """The largest sectors of a drive that it works on; ``None`` where any will do.

        Linux reads ext a block at a time, and no drive gives less than a sector.
        """
        return self.volume.file_system.cluster_size if self.kind in EXTS else self.sector_size

    @property
    def is_resizable(self) -> bool:
        """resize2fs refuses file systems with clusters unless it is forced to."""
        return self.kind in RESIZABLE and not self.has_clusters

    @property
    def room(self) -> int:
        """What its data take at least: in a MiB that is stored much may be unused."""
        used = self.volume.used_bytes
        return self.stored_bytes if used is None else min(used, self.stored_bytes)

    @property
    def smallest(self) -> int:
        """To what size it can be shrunk, as far as can be told before trying."""
        if not self.is_resizable:
            return self.volume.size
        used = self.volume.used_bytes
        used = self.stored_bytes if used is None else used
        least = -(-(used + used // _SPARE_SHARE + _SPARE_BYTES) // _MIB) * _MIB
        return min(least, self.volume.size)


def gather_facts(stored: StoredDisk, volume: Volume) -> VolumeFacts:
    """Read a volume's list of blobs, and of its content only the boot sectors.

    Raises :class:`IntegrityError` for content of the wrong length.
    """
    content = VolumeContent(stored, volume)
    stored_bytes = sum(blob.size for _, blob in content.blobs() if not blob.is_zero)
    boot = _read(content, 0)
    copy = boot_sector_copy(volume.file_system.kind, boot, volume.size)
    has_copy = copy is not None and _looks_alike(boot, _read(content, copy))
    superblock = _read(content, SUPERBLOCK) if volume.file_system.kind in EXTS else b""
    clusters = len(superblock) == _BOOT_BYTES and has_clusters(superblock)
    return VolumeFacts(volume, boot, stored_bytes, has_copy, clusters)


def has_hybrid_record(stored: StoredDisk) -> bool:
    """Whether a GPT disk's MBR names partitions, too, for systems that know no GPT."""
    if stored.layout.table.kind is not TableKind.GPT:
        return False
    for area in stored.layout.areas:
        if area.kind is AreaKind.HEAD:
            first = next(iter(stored.area_blobs(area.name)), None)
            if first is None or first.is_zero:
                return False
            (data,) = stored.fetch([first.id])
            record = parse_boot_record(data)
            return record is not None and record.is_hybrid
    return False


def require_matching_volumes(layout: DiskLayout, volumes: Sequence[Volume]) -> None:
    """Raises :class:`IntegrityError` where the volumes are not those of the layout."""
    if layout.table.kind is TableKind.NONE:
        wanted = {0: Extent(0, layout.size)}
    else:
        wanted = {p.number: p.extent for p in layout.table.partitions if p.holds_volume}
    found = {volume.number: volume.extent for volume in volumes}
    if found != wanted or len(found) != len(volumes):
        raise IntegrityError(
            "The volumes of this disk are not those that its layout.json tells of"
            f" ({_numbers(found)} instead of {_numbers(wanted)}, or in other places)."
        )


def _read(content: VolumeContent, start: int) -> bytes:
    """The sector at ``start`` of the volume; shorter where a blob or the volume ends before."""
    volume = content.volume
    if start >= volume.size:
        return b""
    part = start // volume.part_size
    offset = part * volume.part_size
    for blob in content.stored.part_blobs(volume.number, part):
        if offset <= start < offset + blob.size:
            if blob.is_zero:
                return bytes(_BOOT_BYTES)
            (data,) = content.stored.fetch([blob.id])
            return data[start - offset :][:_BOOT_BYTES]
        offset += blob.size
    return b""


def _looks_alike(boot: bytes, copy: bytes) -> bool:
    """Whether both begin with the same jump and name and describe the same geometry."""
    return len(copy) >= _BOOT_BYTES and boot[:28] == copy[:28]


def _numbers(volumes: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(volumes)) or "none"
