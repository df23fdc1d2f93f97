"""The content of a volume's part: MiB by MiB into the writer, past what need not be read."""

from __future__ import annotations

from collections.abc import Callable

from backup_agent.chunking import fixed
from backup_agent.model.ids import BlobId
from backup_agent.repository.writer import BlobWriter
from backup_agent.sources.entry import BlockStream


def save_blocks(
    stream: BlockStream, writer: BlobWriter, *, went_on: Callable[[int], None]
) -> tuple[BlobId, ...]:
    """Save a whole stream; returns its blobs. ``went_on`` hears how many more bytes are done."""
    content: list[BlobId] = []
    zero_blob: BlobId | None = None
    while True:
        if zeros := stream.skip_zeros():
            zero_blob = zero_blob or _save_zeros(writer)
            content += [zero_blob] * (zeros // fixed.ZERO_BLOB)
            went_on(zeros)
        slab = writer.reserve(fixed.BLOCK)
        position = slab.used
        room = slab.room // fixed.BLOCK * fixed.BLOCK
        got = stream.readinto(slab.view[position : position + room])
        if not got:
            return tuple(content)
        for length in fixed.cut(slab.view[position : position + got], last=True):
            content.append(writer.add(slab, position, position + length))
            position += length
        went_on(got)


def _save_zeros(writer: BlobWriter) -> BlobId:
    slab = writer.reserve(fixed.ZERO_BLOB)
    end = slab.used + fixed.ZERO_BLOB
    slab.view[slab.used : end] = bytes(fixed.ZERO_BLOB)
    return writer.add(slab, slab.used, end)
