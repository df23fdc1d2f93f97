"""What a person does in a browser to link a device, and what the device is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Reply


def type_code(browser: Client, code: str) -> str:
    """Type it and get the page that shows what asks."""
    answer = browser.post("/link", {"code": code})
    assert answer.headers["Location"] == "/link/answer"
    confirm(browser)
    return page_of(browser, "/link/answer")


def answer_request(browser: Client, **fields: str | list[str]) -> None:
    answer = browser.post("/link/answer", fields)
    assert answer.headers["Location"] == "/devices"


def confirm(browser: Client) -> None:
    session = browser.session
    session["confirmed_at"] = time.time()
    session.save()


def page_of(browser: Client, path: str) -> str:
    return browser.get(path).content.decode()


def error(answer: Reply) -> str:
    assert answer.status_code in (400, 401), answer.content
    return str(answer.json()["error"])
