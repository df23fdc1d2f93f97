"""A zip on its way to a browser."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from asgiref.sync import sync_to_async

from console_ui.restore import unlocking
from console_ui.unlocked.asking import BrokenOffError, ZipStream

_log = logging.getLogger(__name__)
_NOTED_EVERY_SECONDS = 60.0


class KeptAlive:
    """The pieces of a zip; while they move, the vault counts as used."""

    def __init__(
        self, pieces: ZipStream, name: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pieces = pieces
        self._name = name
        self._clock = clock

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The status was sent long ago. Where a zip breaks off, only a body without its last chunk
        still tells, and a browser then calls the download failed.
        """
        noted_at = self._clock()
        try:
            async for piece in self._pieces:
                if piece:
                    yield piece
                if self._clock() - noted_at > _NOTED_EVERY_SECONDS:
                    noted_at = self._clock()
                    await sync_to_async(unlocking.note_use)(self._name)
        except BrokenOffError as exc:
            # Its words may name files out of the vault, which are no business of a log.
            _log.warning("a download broke off: what it needs is damaged or was locked")
            # To Django, a browser that is gone: it tidies up, and sends no last chunk.
            raise asyncio.CancelledError from exc

    def close(self) -> None:
        """Django calls it when the answer is done with, however that came about."""
        self._pieces.close()
