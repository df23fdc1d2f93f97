"""NTFS: the clusters in ``$Bitmap``, with what it forgot, without files that are no use later.

``$Bitmap`` is file 6. It is believed where it says *used*. Where it says
*free*, all files' records are asked, too: a cluster that a file lies in is
stored, whatever the bitmap says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backup_agent.errors import SpaceUnknownError, UncleanVolumeError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.ntfs_log import HEAD_BYTES, is_settled
from backup_agent.filesystems.used.ntfs_mft import MasterFileTable, NtfsGeometry, read_geometry
from backup_agent.filesystems.used.ntfs_record import DATA, VOLUME_INFORMATION, Run
from backup_agent.filesystems.used.ntfs_survey import BAD_CLUSTERS_FILE, NtfsSurvey
from backup_agent.filesystems.used.volume_window import VolumeWindow
from backup_agent.model.used_space import UsedSpace

_LOG_FILE = 2
_VOLUME_FILE = 3
_BITMAP_FILE = 6
_DIRTY = 0x1


@dataclass(frozen=True, slots=True)
class NtfsSpace:
    """``left_out`` are paths within the volume; ``remarks`` say what was found wrong.

    ``unclean``: it is marked as one to be checked before it is used.
    """

    space: UsedSpace
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]
    unclean: bool


def ntfs_space(volume: VolumeWindow, *, include_all: bool) -> NtfsSpace:
    """The clusters to store; ``include_all`` for those of temporary files, too.

    Raises :class:`SpaceUnknownError`, also where the journal holds changes
    that ``$Bitmap`` does not know yet.
    """
    geometry = read_geometry(volume)
    mft = MasterFileTable(volume, geometry)
    _refuse_unsettled(mft)
    bitmap = _read_bitmap(mft, geometry)
    survey = NtfsSurvey(mft)
    remarks: list[str] = []
    if survey.damaged_records:
        remarks.append(
            f"{survey.damaged_records} of its file records are damaged: their files cannot be"
            " read. chkdsk can repair the volume."
        )
    if forgotten := survey.mark(bitmap):
        remarks.append(
            f"$Bitmap calls {forgotten} clusters free that files lie in. They are stored;"
            " chkdsk can repair the volume."
        )
    temporary = {} if include_all else survey.temporary_files()
    left_out = [
        path
        for number, path in temporary.items()
        if _clear(bitmap, _runs(mft, geometry, number, ""))
    ]
    if left_out and (shared := survey.mark(bitmap, but=temporary)):
        remarks.append(
            f"{shared} clusters belong to a file that was left out and to another one, too. They"
            " are stored; chkdsk can repair the volume."
        )
    # Reading what NTFS itself calls bad would make every restore point incomplete.
    _clear(bitmap, _runs(mft, geometry, BAD_CLUSTERS_FILE, "$Bad"))
    space = bitmap.space(size=volume.size, origin=0, cluster_size=geometry.cluster_size)
    return NtfsSpace(space, tuple(sorted(left_out)), tuple(remarks), _is_marked_dirty(mft))


def _refuse_unsettled(mft: MasterFileTable) -> None:
    log = mft.content(_LOG_FILE, DATA, "")
    if log is None or not is_settled(mft.read(log.runs, 0, min(HEAD_BYTES, log.size))):
        raise UncleanVolumeError("It was not unmounted cleanly: its journal holds changes.")


def _is_marked_dirty(mft: MasterFileTable) -> bool:
    """``$VOLUME_INFORMATION``: 8 u8, u8 version, 10 u16 flags."""
    content = mft.content(_VOLUME_FILE, VOLUME_INFORMATION, "")
    if content is None or content.value is None or len(content.value) < 12:
        return True
    return bool(int.from_bytes(content.value[10:12], "little") & _DIRTY)


def _read_bitmap(mft: MasterFileTable, geometry: NtfsGeometry) -> ClusterBitmap:
    needed = (geometry.clusters + 7) // 8
    content = mft.content(_BITMAP_FILE, DATA, "")
    if content is None or min(content.size, content.written) < needed:
        raise SpaceUnknownError("Its $Bitmap is too short for its clusters.")
    data = mft.read(content.runs, 0, needed) if content.value is None else content.value
    return ClusterBitmap(geometry.clusters, data)


def _runs(mft: MasterFileTable, geometry: NtfsGeometry, number: int, stream: str) -> Iterator[Run]:
    """Where one stream of a file lies; nothing where that cannot be told."""
    try:
        content = mft.content(number, DATA, stream)
    except SpaceUnknownError:
        return
    for run in content.runs if content else ():
        if run.first is not None and run.first + run.count <= geometry.clusters:
            yield run


def _clear(bitmap: ClusterBitmap, runs: Iterator[Run]) -> int:
    return sum(bitmap.clear(run.first, run.count) for run in runs if run.first is not None)
