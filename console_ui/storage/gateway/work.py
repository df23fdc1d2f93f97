"""Work that blocks, kept out of the event loop and in a bounded number of threads."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

from console_ui.storage.gateway.shares import Shares

_T = TypeVar("_T")

_RECORD_THREADS = 8
_STORAGE_THREADS = 32
_FILE_THREADS = 4


class Work:
    """Groups of threads that do not wait for each other.

    Whether somebody may come in is found out while every storage location hangs; what is
    stored in one location, while another one hangs; and what is read there, while it takes
    nothing more.
    """

    def __init__(self) -> None:
        self._records = ThreadPoolExecutor(_RECORD_THREADS, thread_name_prefix="gateway-records")
        self._reads = ThreadPoolExecutor(_STORAGE_THREADS, thread_name_prefix="gateway-reads")
        self._writes = ThreadPoolExecutor(_STORAGE_THREADS, thread_name_prefix="gateway-writes")
        self._files = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="gateway-files")
        self._reading = Shares(_STORAGE_THREADS)
        self._writing = Shares(_STORAGE_THREADS)

    async def record(self, work: Callable[[], _T]) -> _T:
        """Run what asks the database, and no storage location."""
        return await _run(self._records, lambda: _with_database(work))

    async def read(self, location: uuid.UUID, work: Callable[[], _T]) -> _T:
        """Run what reads in that storage location."""
        async with self._reading.lend(location):
            return await _run(self._reads, lambda: _with_database(work))

    async def write(self, location: uuid.UUID, work: Callable[[], _T]) -> _T:
        """Run what changes something in that storage location."""
        async with self._writing.lend(location):
            return await _run(self._writes, lambda: _with_database(work))

    async def file(self, work: Callable[[], _T]) -> _T:
        """Run what touches only files of this host."""
        return await _run(self._files, work)

    def close(self) -> None:
        """Wait for what runs, then end the threads."""
        for threads in (self._records, self._reads, self._writes, self._files):
            threads.shutdown()


async def _run(threads: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


def _with_database(work: Callable[[], _T]) -> _T:
    try:
        return work()
    finally:
        # As Django does after each request: no thread sits on a connection that may go stale.
        connections.close_all()
