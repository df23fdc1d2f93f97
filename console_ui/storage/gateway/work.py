"""Work that blocks, kept out of the event loop and in a bounded number of threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

_T = TypeVar("_T")

_STORAGE_THREADS = 16
_FILE_THREADS = 4


class Work:
    """Two groups of threads: slow storage must not keep uploads from their spool files."""

    def __init__(self) -> None:
        self._storage = ThreadPoolExecutor(_STORAGE_THREADS, thread_name_prefix="gateway-storage")
        self._files = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="gateway-files")

    async def storage(self, work: Callable[[], _T]) -> _T:
        """Run what asks the database or a storage location."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._storage, _with_database, work)

    async def file(self, work: Callable[[], _T]) -> _T:
        """Run what touches only files of this host."""
        return await asyncio.get_running_loop().run_in_executor(self._files, work)

    def close(self) -> None:
        """Wait for what runs, then end the threads."""
        self._storage.shutdown()
        self._files.shutdown()


def _with_database(work: Callable[[], _T]) -> _T:
    try:
        return work()
    finally:
        # As Django does after each request: no thread sits on a connection that may go stale.
        connections.close_all()
