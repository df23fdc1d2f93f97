"""A walk over all of NTFS's file records: which clusters files lie in, and who is who.

A name is an attribute of type 0x30: 0 u64 the folder's record, 64 u8 length in
UTF-16 units, 66 the name.
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Container, Iterator

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.bitmap import ClusterBitmap
from backup_agent.filesystems.used.ntfs_mft import MasterFileTable
from backup_agent.filesystems.used.ntfs_record import FILE_NAME, Record, reference

BAD_CLUSTERS_FILE = 8
_ROOT_FOLDER = 5
# Windows writes them anew at each start; a hibernated session must not wake up in another time.
_TEMPORARY = {"pagefile.sys", "hiberfil.sys", "swapfile.sys"}
_SYSTEM_FOLDER = "system volume information"
# What volume shadow copies keep of the past: the suffix is that service's own GUID.
_SHADOW_STORE = re.compile(r"\{[0-9a-f-]{36}\}\{3808876b-c176-4e48-b7ae-04046e6cc752\}")
# No other name is worth decoding: there are millions.
_LENGTHS = {12, len(_SYSTEM_FOLDER), 76}


class NtfsSurvey:
    """What all records of a master file table say together."""

    def __init__(self, mft: MasterFileTable) -> None:
        # Cluster, count and record of each run, as bare numbers, for there are millions.
        self._runs = array("Q")
        self._names: list[tuple[int, int, str]] = []
        self.damaged_records = 0
        for number, record in mft.records():
            if record is None:
                self.damaged_records += 1
                continue
            owner = number if record.base is None else record.base
            # Its one stream spans the volume, and lies only where nothing else may.
            if owner != BAD_CLUSTERS_FILE:
                self._enter(owner, record)

    def temporary_files(self) -> dict[int, str]:
        """The files that are no use in a backup: path by record."""
        found = {
            number: name
            for number, folder, name in self._names
            if folder == _ROOT_FOLDER and name.lower() in _TEMPORARY
        }
        system_folders = {
            number: name
            for number, folder, name in self._names
            if folder == _ROOT_FOLDER and name.lower() == _SYSTEM_FOLDER
        }
        for number, folder, name in self._names:
            if folder in system_folders and _SHADOW_STORE.fullmatch(name.lower()):
                found[number] = f"{system_folders[folder]}/{name}"
        return found

    def mark(self, bitmap: ClusterBitmap, *, but: Container[int] = ()) -> int:
        """Call used what files lie in, but some records' files; returns how many were free."""
        runs, clusters = self._runs, bitmap.clusters
        newly = 0
        for place in range(0, len(runs), 3):
            first, count = runs[place], runs[place + 1]
            # A run that leaves the volume is a damaged record's, and marks nothing.
            if first + count <= clusters and runs[place + 2] not in but:
                newly += bitmap.mark(first, count)
        return newly

    def _enter(self, owner: int, record: Record) -> None:
        try:
            for attribute in record.attributes(resident=FILE_NAME):
                if attribute.value is None:
                    for run in attribute.runs:
                        if run.first is not None:
                            self._runs.extend((run.first, run.count, owner))
                else:
                    self._names += _names(owner, attribute.value)
        except SpaceUnknownError:
            # What was read of a damaged record counts; chkdsk would not find more of its file.
            return


def _names(owner: int, value: bytes) -> Iterator[tuple[int, int, str]]:
    if len(value) >= 66 and value[64] in _LENGTHS:
        (folder,) = struct.unpack_from("<Q", value)
        name = value[66 : 66 + 2 * value[64]].decode("utf-16-le", "replace")
        yield owner, reference(folder), name
