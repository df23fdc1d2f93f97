"""Django's pages under ASGI, each answered in one go.

All of our middleware and pages are plain functions. Django would lead every request from the
event loop into a thread, back for the page's address, and into the thread again; that going to
and fro takes longer than many an answer.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

CROWD_TURNS = 4


class PagesHandler(ASGIHandler):
    """An answer is made in the request's thread, from the first middleware to the last; what it
    streams is sent by the event loop.

    Below ``crowd_path`` a few requests are answered at a time, and the others wait in line. They
    must be quick. Hundreds of devices may report at the same moment, and as many threads would
    take the processor and the database's only writing lock from one another.
    """

    def __init__(self, *, crowd_path: str) -> None:
        super().__init__()
        self._crowd_path = crowd_path
        self._turns = asyncio.Semaphore(CROWD_TURNS)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 (Django's signature)
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        answer = sync_to_async(self.get_response, thread_sensitive=True)
        async with self._turn(request):
            return await answer(request)

    def _turn(self, request: HttpRequest) -> AbstractAsyncContextManager[None]:
        in_crowd = request.path.startswith(self._crowd_path)
        return self._turns if in_crowd else nullcontext()
