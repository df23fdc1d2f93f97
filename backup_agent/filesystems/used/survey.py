"""The question for any volume: which of its bytes are worth storing?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from backup_agent.errors import SpaceUnknownError, UncleanVolumeError
from backup_agent.filesystems.reading import SeekableReader
from backup_agent.filesystems.restore_mark import MARK_SIZE, is_unfinished
from backup_agent.filesystems.used.exfat import exfat_space
from backup_agent.filesystems.used.ext_groups import ext_space
from backup_agent.filesystems.used.fat_table import fat_space
from backup_agent.filesystems.used.ntfs import ntfs_space
from backup_agent.filesystems.used.swap import swap_space
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.disk import FileSystemKind, Volume
from backup_agent.model.used_space import UsedSpace

_HALF_RESTORED = (
    "A restore by Everboot was interrupted here: what is backed up is half written."
    " Start that restore again first."
)


@dataclass(frozen=True, slots=True)
class VolumeSurvey:
    """``space`` is ``None`` where every byte is to be stored.

    ``left_out`` are paths of files within the volume whose clusters were left
    out of ``space``. ``remarks`` are what a person should know of it. ``unclean``:
    it was not unmounted cleanly.
    """

    space: UsedSpace | None = None
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unclean: bool = False


def survey_volume(
    reader: SeekableReader, volume: Volume, *, include_all: bool = False
) -> VolumeSurvey:
    """What of the volume to store. ``include_all``: swap and Windows' temporary files, too.

    Never fails: an account of space that cannot be read or believed gives the
    whole volume, with a remark.
    """
    within = VolumeWindow(reader, volume.start, volume.size)
    unclean = False
    try:
        return _ask(within, volume, include_all=include_all)
    except SpaceUnknownError as exc:
        reason = exc.message
        unclean = isinstance(exc, UncleanVolumeError)
    except OSError as exc:
        reason = f"Its account of used space cannot be read ({exc.strerror})."
    kind = volume.file_system.kind.value
    remark = f"All of this {kind} volume is stored. {reason}"
    return VolumeSurvey(remarks=(remark,), unclean=unclean)


def _ask(within: VolumeWindow, volume: Volume, *, include_all: bool) -> VolumeSurvey:
    kind = volume.file_system.kind
    match kind:
        case FileSystemKind.NTFS:
            found = ntfs_space(within, include_all=include_all)
            return VolumeSurvey(found.space, found.left_out, found.remarks, found.unclean)
        case FileSystemKind.FAT12 | FileSystemKind.FAT16 | FileSystemKind.FAT32:
            table = fat_space(within, kind)
            return VolumeSurvey(table.space, unclean=table.unclean)
        case FileSystemKind.EXFAT:
            told = exfat_space(within)
            return VolumeSurvey(told.space, remarks=told.remarks)
        case FileSystemKind.EXT2 | FileSystemKind.EXT3 | FileSystemKind.EXT4:
            counted = ext_space(within)
            return VolumeSurvey(counted.space, remarks=counted.remarks)
        case FileSystemKind.SWAP:
            page_size = volume.file_system.cluster_size
            if include_all or page_size is None:
                return VolumeSurvey()
            return VolumeSurvey(swap_space(within, page_size))
        case FileSystemKind.UNKNOWN:
            return VolumeSurvey(remarks=_unfinished(within) or _second_boot_sector(within))
        case FileSystemKind.LUKS | FileSystemKind.BITLOCKER:
            return VolumeSurvey()
        case _:
            assert_never(kind)


def _unfinished(within: VolumeWindow) -> tuple[str, ...]:
    if within.size < MARK_SIZE or not is_unfinished(within.read(0, MARK_SIZE)):
        return ()
    return (_HALF_RESTORED,)


def _second_boot_sector(within: VolumeWindow) -> tuple[str, ...]:
    """NTFS keeps a copy of its boot sector in the partition's last sector."""
    last = within.size - within.size % 512 - 512
    if last < 512 or within.read(last, 512)[3:11] != b"NTFS    ":
        return ()
    return ("All of this volume is stored. It was NTFS, but its boot sector is broken.",)
