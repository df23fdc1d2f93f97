"""How much all requests together may hold at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backup_agent.services.vault import FileKind

_MIB = 1 << 20

LARGEST_BYTES = {
    FileKind.CONFIG: _MIB,
    FileKind.KEY: _MIB,
    FileKind.LOCK: _MIB,
    # Paths and tags of a restore point, sealed: in practice a few hundred bytes.
    FileKind.SNAPSHOT: 16 * _MIB,
    FileKind.INDEX: 128 * _MIB,
    # restic's largest --pack-size is 128 MiB, and a pack ends with the blob that fills it.
    FileKind.PACK: 256 * _MIB,
}


class Budget:
    """A number of bytes of which parts are lent out, first come, first served."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._changed = asyncio.Condition()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def lend(self, size: int) -> AsyncIterator[None]:
        """Wait for so many bytes; more than there are at all counts as all of them."""
        size = min(size, self._total)
        # One waits at a time, so that small wishes do not overtake a large one for ever.
        async with self._turn, self._changed:
            await self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            async with self._changed:
                self._free += size
                self._changed.notify_all()
