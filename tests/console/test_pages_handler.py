"""How requests wait for their turn, and how long a connection is kept for the next one."""

from __future__ import annotations

import asyncio
import resource
import threading

import pytest
import uvicorn
from asgiref.sync import ThreadSensitiveContext
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from console_ui import server
from console_ui.django_settings import console_settings
from console_ui.web.pages_handler import CROWD_TURNS, PagesHandler

_CROWD = "/api/v1/device/"
_LONGEST_OF_CLIENTS_SECONDS = 60
_PATIENCE_SECONDS = 30


class CountingHandler(PagesHandler):
    """Answers requests of the crowd only when so many of them have come in (``together``)."""

    def __init__(self, *, together: int) -> None:
        super().__init__(crowd_path=_CROWD)
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()
        self.full = threading.Barrier(together, timeout=_PATIENCE_SECONDS)

    def get_response(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(_CROWD):
            return HttpResponse()
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self.full.wait()
        with self._lock:
            self._inside -= 1
        return HttpResponse()


async def answered(handler: PagesHandler, path: str) -> None:
    async with ThreadSensitiveContext():
        await handler.get_response_async(RequestFactory().get(path))


def test_a_crowd_of_devices_is_answered_a_few_at_a_time() -> None:
    async def come_all_at_once() -> CountingHandler:
        handler = CountingHandler(together=CROWD_TURNS)
        paths = [f"{_CROWD}heartbeat"] * 5 * CROWD_TURNS
        await asyncio.gather(*(answered(handler, path) for path in paths))
        return handler

    assert asyncio.run(come_all_at_once()).most == CROWD_TURNS


def test_a_page_does_not_wait_behind_a_crowd() -> None:
    async def come_second() -> None:
        handler = CountingHandler(together=CROWD_TURNS + 1)
        async with asyncio.TaskGroup() as crowd:
            for _ in range(CROWD_TURNS):
                crowd.create_task(answered(handler, f"{_CROWD}heartbeat"))
            await answered(handler, "/devices")
            # The crowd has every turn until now.
            await asyncio.to_thread(handler.full.wait)

    asyncio.run(come_second())


def test_the_console_dumps_no_core(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
    monkeypatch.setattr(server, "_Server", int)
    with (
        server.listening_socket("127.0.0.1", 0) as listener,
        pytest.raises(TypeError, match="Config"),
    ):
        server.serve(console_settings(), listener)

    assert limits == [(resource.RLIMIT_CORE, (0, 0))]


def test_a_connection_is_kept_longer_than_clients_keep_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class ConfiguredError(Exception):
        """The server was told all, and need not run."""

    def configured(config: uvicorn.Config) -> None:
        raise ConfiguredError(config.timeout_keep_alive)

    monkeypatch.setattr(server, "_Server", configured)
    with (
        server.listening_socket("127.0.0.1", 0) as listener,
        pytest.raises(ConfiguredError) as told,
    ):
        server.serve(console_settings(), listener)

    assert told.value.args[0] > _LONGEST_OF_CLIENTS_SECONDS
