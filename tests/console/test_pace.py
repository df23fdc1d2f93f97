"""Senders and takers that are too slow, without waiting for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from console_ui.storage.gateway.messages import Refusal
from console_ui.storage.gateway.pace import SLOWEST_BYTES_PER_SECOND, Pace
from console_ui.storage.gateway.spool import spool
from console_ui.storage.gateway.work import Work

_KIB = 1024


class Clock:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sender(
    clock: Clock, *, pieces: int, size: int, seconds: float
) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    """A body in equal pieces, each of which takes so long to come."""
    left = pieces

    async def receive() -> MutableMapping[str, Any]:
        nonlocal left
        clock.now += seconds
        left -= 1
        return {"type": "http.request", "body": bytes(size), "more_body": left > 0}

    return receive


def take_in(folder: Path, *, pieces: int, size: int, seconds: float) -> float:
    """How long it took."""
    clock, work = Clock(), Work()
    receive = sender(clock, pieces=pieces, size=size, seconds=seconds)
    try:
        spooled = asyncio.run(spool(receive, pieces * size, folder, work, Pace(clock=clock)))
        spooled.file.close()
    finally:
        work.close()
    return clock.now


def test_a_slow_line_may_take_its_time(tmp_path: Path) -> None:
    at_the_slowest = 64 * _KIB / SLOWEST_BYTES_PER_SECOND

    took = take_in(tmp_path, pieces=256, size=64 * _KIB, seconds=at_the_slowest)

    assert took > 600


def test_a_sender_of_a_byte_a_minute_is_told_to_go(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        take_in(tmp_path, pieces=1000, size=1, seconds=59)

    assert refused.value.answer.status == 408
    assert list(tmp_path.iterdir()) == []


def test_time_that_was_won_by_haste_can_be_lost_again(tmp_path: Path) -> None:
    clock = Clock()
    pace = Pace(clock=clock)

    async def step(seconds: float) -> None:
        clock.now += seconds

    async def story() -> None:
        pace.moved(SLOWEST_BYTES_PER_SECOND * 100)
        for _ in range(3):
            await pace.wait(step(50))
        with pytest.raises(TimeoutError):
            await pace.wait(step(50))

    asyncio.run(story())


def test_time_in_which_nobody_waits_for_the_sender_does_not_count() -> None:
    clock = Clock()
    pace = Pace(clock=clock)

    async def story() -> None:
        for _ in range(10):
            clock.now += 3600
            await pace.wait(asyncio.sleep(0))

    asyncio.run(story())
