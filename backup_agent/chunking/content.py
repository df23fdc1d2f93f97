"""Content-defined cuts: FastCDC (Xia et al., 2020), keyed per repository.

An insertion moves only the cuts near it, so an edited file shares its other
blobs with what is stored. The gear table is seeded with a secret of the
repository, or blob sizes would tell which known files it holds
(docs/adr/0002-chunker.md says what that does and does not protect).
"""

from __future__ import annotations

from pyfastcdc import FastCDC

from backup_agent.crypto.cipher import MasterKey

MIN_SIZE = 512 << 10
AVERAGE_SIZE = 1 << 20
MAX_SIZE = 4 << 20
_PURPOSE = b"everboot content chunker 1"


class ContentChunker:
    """Cuts buffers of one stream after another. Not for use by two threads at once."""

    def __init__(self, key: MasterKey) -> None:
        self._cdc = FastCDC(
            AVERAGE_SIZE,
            min_size=MIN_SIZE,
            max_size=MAX_SIZE,
            # pyfastcdc takes 63 bits.
            seed=int.from_bytes(key.derive(_PURPOSE, 8), "big") >> 1,
        )

    def cut(self, data: memoryview, *, last: bool) -> list[int]:
        """Lengths of the chunks at the start of ``data``.

        Unless ``last``, the final chunk is held back, for more data may move
        its end: the caller offers those bytes again, followed by what comes.
        A buffer of ``MAX_SIZE`` or more always yields at least one chunk.
        """
        lengths = [chunk.length for chunk in self._cdc.cut_buf(data)]
        if not last and sum(lengths[:-1]) + MAX_SIZE > len(data):
            lengths.pop()
        return lengths
