"""Telling open pages and waiting devices that something is new, without a thread for each.

One look at the database a second serves everybody who waits in this process, however many
they are and whichever process took the news in. Nobody waiting, nobody looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections
from django.utils import timezone

from console_ui.activity import commands, reports

_LOOK_SECONDS = 1.0

_Found = TypeVar("_Found")
_KEPT_LOOKS = 64


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look at the database found."""

    latest_change: datetime | None = None
    asked: frozenset[uuid.UUID] = field(default_factory=frozenset)


class Board:
    """Whoever waits, waits for the next look that finds something."""

    def __init__(self) -> None:
        self._seen = _Seen()
        self._waiting = 0
        self._looked: asyncio.Condition | None = None
        self._looker: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """Let everybody go: the server ends. Call it from the event loop."""
        self._closed = True
        if self._looker is not None:
            self._looker.cancel()

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def wait_for_command(self, device_id: uuid.UUID, seconds: float) -> None:
        """Return when something waits for the device, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wait_until(lambda: device_id in self._seen.asked)

    async def wait_for_change(self, since: datetime | None, seconds: float) -> datetime | None:
        """When anything changed last, as soon as that is not ``since``, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wait_until(lambda: self._seen.latest_change != since)
        return self._seen.latest_change

    async def _wait_until(self, happened: Callable[[], bool]) -> None:
        self._waiting += 1
        try:
            if self._looked is None:
                self._looked = asyncio.Condition()
            if self._looker is None or self._looker.done():
                self._looker = asyncio.create_task(self._look_on())
            async with self._looked:
                # What was seen before may be minutes old: only a fresh look counts.
                await self._looked.wait()
                while not happened() and not self._closed:
                    await self._looked.wait()
        finally:
            self._waiting -= 1

    async def _look_on(self) -> None:
        assert self._looked is not None
        try:
            while self._waiting:
                with contextlib.suppress(DatabaseError):
                    self._seen = await asked_database(_look)
                async with self._looked:
                    self._looked.notify_all()
                await asyncio.sleep(_LOOK_SECONDS)
        except asyncio.CancelledError:
            async with self._looked:
                self._looked.notify_all()


def _look() -> _Seen:
    return _Seen(reports.latest_change(), frozenset(commands.devices_asked(now=timezone.now())))


board = Board()
"""That of this process."""


async def asked_database(question: Callable[[], _Found]) -> _Found:
    """The answer to a question that opens and closes connections of its own."""

    def asked() -> _Found:
        try:
            return question()
        finally:
            connections.close_all()

    return await sync_to_async(asked, thread_sensitive=False)()


class SharedLooks(Generic[_Found]):
    """Answers for everybody who asks the same: a hundred open pages cost hardly more than one."""

    def __init__(self) -> None:
        self._looks: OrderedDict[Hashable, asyncio.Task[_Found]] = OrderedDict()

    async def shared(self, key: Hashable, question: Callable[[], _Found]) -> _Found:
        """The answer to the question that ``key`` stands for, which is asked once.

        It goes on when the page that asked first goes away: others wait for it.
        """
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = asyncio.create_task(asked_database(question))
            if len(self._looks) > _KEPT_LOOKS:
                self._looks.popitem(last=False)
        try:
            return await asyncio.shield(look)
        except Exception:
            # Who comes next asks again.
            self._looks.pop(key, None)
            raise


async def let_go_of_database() -> None:
    """Close what the page's own thread has open, before it waits: hundreds may do so at once."""
    await sync_to_async(connections.close_all, thread_sensitive=True)()
