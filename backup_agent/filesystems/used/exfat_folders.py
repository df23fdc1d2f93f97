"""A walk over all of exFAT's folders: which clusters files lie in.

Entries of 32 bytes: 0x81 the bitmap and 0x82 the table of capitals (20 u32 first
cluster, 24 u64 size); 0x85 begins a file (4 u16 attributes), and 0xC0 follows it
(1 u8 flags, bit 1: in one piece; 20 u32 first cluster, 24 u64 size).
Source: Microsoft's exFAT specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from backup_agent.errors import SpaceUnknownError
from backup_agent.filesystems.used.exfat_volume import ExfatVolume

_ENTRY_SIZE = 32
_BITMAP, _CAPITALS, _FILE, _STREAM = 0x81, 0x82, 0x85, 0xC0
_FOLDER = 0x10
_IN_ONE_PIECE = 0x2
# The specification allows no larger ones.
_MOST_FOLDER_BYTES = 256 << 20


def clusters_in_files(volume: ExfatVolume) -> Iterator[int]:
    """Every cluster that a file or folder lies in; some may come twice.

    Raises :class:`SpaceUnknownError` where the folders make no sense.
    """
    pending = [tuple(volume.chain(volume.root, _MOST_FOLDER_BYTES))]
    seen = {volume.root}
    while pending:
        folder = pending.pop()
        yield from folder
        for first, size, in_one_piece, is_folder in _contents(volume.read(iter(folder))):
            if not size:
                continue
            clusters = volume.row(first, size) if in_one_piece else volume.chain(first, size)
            if not is_folder:
                yield from clusters
            elif size > _MOST_FOLDER_BYTES or first in seen:
                raise SpaceUnknownError("One of its folders is no tree's.")
            else:
                seen.add(first)
                pending.append(tuple(clusters))


def _contents(folder: bytes) -> Iterator[tuple[int, int, bool, bool]]:
    """(first cluster, size, in one piece, is a folder) of each entry that takes room."""
    for place in range(0, len(folder), _ENTRY_SIZE):
        kind = folder[place]
        if kind == 0:
            return
        if kind in (_BITMAP, _CAPITALS):
            first, size = struct.unpack_from("<IQ", folder, place + 20)
            yield first, size, False, False
        elif kind == _FILE:
            stream = folder[place + _ENTRY_SIZE : place + 2 * _ENTRY_SIZE]
            if len(stream) < _ENTRY_SIZE or stream[0] != _STREAM:
                raise SpaceUnknownError("One of its folders is damaged.")
            first, size = struct.unpack_from("<IQ", stream, 20)
            yield first, size, bool(stream[1] & _IN_ONE_PIECE), bool(folder[place + 4] & _FOLDER)
