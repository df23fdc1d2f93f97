"""Many open pages ask the database as one."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console_ui.activity.live import SharedLooks
from console_ui.activity.pages.live import _events
from tests.console.people import Office
from tests.console.reporting import reporting_device
from tests.console.test_devices_page import add_devices


class Question:
    """Counts how often it is asked; answered when ``answer_now`` is set."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked = 0
        self.failure = failure
        self.answer_now = threading.Event()

    def __call__(self) -> int:
        self.asked += 1
        assert self.answer_now.wait(30)
        if self.failure is not None:
            raise self.failure
        return self.asked


def test_forty_pages_that_are_equally_up_to_date_ask_once() -> None:
    question = Question()

    async def look() -> list[int]:
        looks: SharedLooks[int] = SharedLooks()
        pages = [asyncio.create_task(looks.shared("key", question)) for _ in range(40)]
        await asyncio.sleep(0)
        question.answer_now.set()
        late = await looks.shared("key", question)
        return [late, *await asyncio.gather(*pages)]

    assert asyncio.run(look()) == [1] * 41
    assert question.asked == 1


def test_others_have_their_answer_when_the_page_that_asked_first_is_closed() -> None:
    question = Question()

    async def look() -> int:
        looks: SharedLooks[int] = SharedLooks()
        first = asyncio.create_task(looks.shared("key", question))
        second = asyncio.create_task(looks.shared("key", question))
        await asyncio.sleep(0)
        first.cancel()
        question.answer_now.set()
        return await second

    assert asyncio.run(look()) == 1


def test_a_failure_is_told_and_not_kept() -> None:
    question = Question(DatabaseError("gone"))
    question.answer_now.set()

    async def look() -> int:
        looks: SharedLooks[int] = SharedLooks()
        with pytest.raises(DatabaseError):
            await looks.shared("key", question)
        question.failure = None
        return await looks.shared("key", question)

    assert asyncio.run(look()) == 2


def test_no_more_than_a_few_answers_are_kept() -> None:
    question = Question()
    question.answer_now.set()

    async def look() -> int:
        looks: SharedLooks[int] = SharedLooks()
        for key in range(1000):
            await looks.shared(key, question)
        await looks.shared(999, question)
        return await looks.shared(0, question)

    assert asyncio.run(look()) == 1001


def test_of_five_hundred_devices_the_one_that_told_something_is_read(office: Office) -> None:
    add_devices(office.organisation, 0, 500)
    since = timezone.now()
    reporting_device(office).runs("done")

    with CaptureQueriesContext(connection) as asked:
        ((_at, event),) = _events(office.organisation, since, "en")

    assert "ATELIER-01" in str(event["said"])
    # The organisation's thresholds, then the device, its plans and what was asked of it.
    assert len(asked) <= 4
