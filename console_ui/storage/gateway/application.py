"""The gateway as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backup_agent.errors import (
    EverbootError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from console_ui.storage.gateway import reading, writing
from console_ui.storage.gateway.access import Access, DeviceTokens, authorise
from console_ui.storage.gateway.budget import Budget
from console_ui.storage.gateway.messages import (
    Answer,
    Disconnected,
    Receive,
    Refusal,
    Request,
    Send,
)
from console_ui.storage.gateway.route import Route, parse
from console_ui.storage.gateway.spool import spool
from console_ui.storage.gateway.work import Work
from console_ui.storage.objects import BusyError, RefusedError
from console_ui.storage.quota import QuotaExceededError

_log = logging.getLogger(__name__)

_SPOOL_BYTES = 4 << 30
_SAVED_AT_ONCE_BYTES = 128 << 20
# Two for each device's usual five connections and a few retries; the rest wait.
_REQUESTS_OF_A_VAULT = 16
_TRANSFERS = 128
_SLICE_BYTES = 64 * 1024
_STALLED_SECONDS = 60


class Gateway:
    """One for each server process. ``spool_folder`` is where uploads wait; ``tokens`` knows
    linked devices.
    """

    def __init__(self, *, spool_folder: Path, tokens: DeviceTokens | None = None) -> None:
        self._spool_folder = spool_folder
        self._tokens = tokens
        self._work = Work()
        self._spooled = Budget(_SPOOL_BYTES)
        self._saving = Budget(_SAVED_AT_ONCE_BYTES)
        self._transfers = asyncio.Semaphore(_TRANSFERS)
        self._turns: defaultdict[uuid.UUID, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_REQUESTS_OF_A_VAULT)
        )

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        request = Request.of(scope)
        try:
            route, access = await self._authorised(request)
            # One device's many requests wait for each other, not everybody for them.
            async with self._turns[route.vault], self._transfers:
                try:
                    answer = await self._answer(request, receive, route, access)
                except EverbootError as exc:
                    answer = _explained(exc)
                await _send(answer, send, with_body=request.method != "HEAD")
        except Refusal as exc:
            await _send(exc.answer, send, with_body=request.method != "HEAD")
        except Disconnected:
            return

    def close(self) -> None:
        """Wait for work that has begun."""
        self._work.close()

    async def _authorised(self, request: Request) -> tuple[Route, Access]:
        route = parse(request.path)
        if route is None:
            raise Refusal(404, "No address of the storage gateway.")
        header = request.headers.get("authorization", "")
        access = await self._work.storage(
            lambda: authorise(header, route.vault, address=request.address, tokens=self._tokens)
        )
        return route, access

    async def _answer(
        self, request: Request, receive: Receive, route: Route, access: Access
    ) -> Answer:
        work, key = self._work, route.key
        match request.method:
            case "POST" if key is not None:
                return await self._take_in(request, receive, route, access)
            case "POST" if route.kind is None:
                return await work.storage(lambda: writing.prepare(access))
            case "DELETE" if key is not None:
                return await work.storage(lambda: writing.delete(access, key))
            case "DELETE" if route.kind is None:
                return await work.storage(lambda: writing.refuse_whole(access))
            case "HEAD" if key is not None:
                return await work.storage(lambda: reading.measure(access, key))
            case "GET" if key is not None:
                return await reading.read(request, access, key, work)
            case "GET" if route.kind is not None:
                return await reading.list_objects(request, access, route.kind, work)
            case _:
                raise Refusal(405, "The storage gateway does not do that here.")

    async def _take_in(
        self, request: Request, receive: Receive, route: Route, access: Access
    ) -> Answer:
        work, key = self._work, route.key
        assert key is not None
        access.require_change(key.kind)
        length = writing.announced_length(request, key)
        await work.storage(lambda: writing.require_room(access, key, length))
        async with self._spooled.lend(length):
            spooled = await spool(receive, length, self._spool_folder, work)
            with spooled.file as file:
                async with self._saving.lend(length):
                    return await work.storage(
                        lambda: writing.add(access, key, file, spooled.sha256, length)
                    )


async def _send(answer: Answer, send: Send, *, with_body: bool) -> None:
    headers = dict(answer.headers)
    if answer.stream is None:
        length = len(answer.body) if answer.length is None else answer.length
        headers["Content-Length"] = str(length)
    elif answer.length is not None:
        headers["Content-Length"] = str(answer.length)
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if answer.stream is not None and with_body:
        try:
            async for piece in answer.stream:
                await _send_slowly(piece, send)
        except EverbootError as exc:
            # The status is sent: only a body that ends too early can still tell.
            _log.warning("a download broke off: %s", exc.message)
            raise Disconnected from exc
    body = answer.body if with_body else b""
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_slowly(piece: bytes, send: Send) -> None:
    """In slices, each when the one before has left: a transport would take in everything."""
    for start in range(0, len(piece), _SLICE_BYTES):
        message = {
            "type": "http.response.body",
            "body": piece[start : start + _SLICE_BYTES],
            "more_body": True,
        }
        try:
            await asyncio.wait_for(send(message), _STALLED_SECONDS)
        except TimeoutError:
            raise Disconnected from None


def _explained(error: EverbootError) -> Answer:
    """An error as an answer. What the storage says is for the log: it names places and logins."""
    text = f"{error.message} {error.hint}".strip()
    match error:
        case RefusedError():
            return Refusal(403, text).answer
        case QuotaExceededError():
            return Refusal(507, text).answer
        case BusyError():
            return Refusal(503, text, {"Retry-After": "1"}).answer
        case ObjectNotFoundError():
            _log.error("an object of the catalog is not in the storage: %s", error.message)
            return Refusal(404, "The object is lost where it was stored.").answer
        case StorageFullError():
            _log.error("storage: %s", error.message)
            return Refusal(507, "The storage behind this vault is full.").answer
        case TransientStorageError():
            _log.warning("storage: %s", error.message)
            wait = {"Retry-After": "10"}
            return Refusal(503, "The storage behind this vault does not answer.", wait).answer
        case StorageError():
            _log.error("storage: %s", error.message)
            return Refusal(502, "The storage behind this vault refuses the console.").answer
        case _:
            _log.error("gateway: %s", error.message)
            return Refusal(500, "The storage behind this vault is not set up well.").answer
