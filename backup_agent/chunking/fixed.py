"""Cuts at every MiB, for volumes: file systems write in place, nothing moves.

A MiB of zeros becomes two blobs of 512 KiB, for that is the blob which stock
restic's ``restore --sparse`` turns into a hole.
"""

from __future__ import annotations

BLOCK = 1 << 20
ZERO_BLOB = 512 << 10
_ZEROS = bytes(BLOCK)
_PROBE = 64


def cut(data: memoryview, *, last: bool) -> list[int]:
    """Lengths of the chunks at the start of ``data``, which starts at a multiple of 1 MiB.

    Unless ``last``, a piece shorter than a MiB at the end is held back.
    """
    lengths: list[int] = []
    position = 0
    while position < len(data):
        block = data[position : position + BLOCK]
        if len(block) < BLOCK:
            if last:
                lengths.append(len(block))
            break
        if is_zero(block):
            lengths += (ZERO_BLOB, ZERO_BLOB)
        else:
            lengths.append(BLOCK)
        position += BLOCK
    return lengths


def is_zero(block: memoryview) -> bool:
    """Whether a block of up to 1 MiB holds nothing but zeros."""
    # Comparing memoryviews goes byte by byte; copying first is twenty times as fast,
    # and the first page spares most blocks the copy.
    if block[:_PROBE] != _ZEROS[: min(_PROBE, len(block))]:
        return False
    return bytes(block) == _ZEROS[: len(block)]
