"""The gateway as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from backup_agent.errors import (
    EverbootError,
    ObjectNotFoundError,
    StorageError,
    StorageFullError,
    TransientStorageError,
)
from backup_agent.services.vault import ObjectKey
from console_ui.storage.gateway import reading, writing
from console_ui.storage.gateway.access import Access, DeviceTokens, Visit
from console_ui.storage.gateway.messages import (
    Answer,
    Disconnected,
    Receive,
    Refusal,
    Request,
    Send,
)
from console_ui.storage.gateway.pace import Pace
from console_ui.storage.gateway.route import Route, parse
from console_ui.storage.gateway.shares import NestedShares, Shares
from console_ui.storage.gateway.spool import spool
from console_ui.storage.gateway.work import Work
from console_ui.storage.models import Upload
from console_ui.storage.objects import BusyError, RefusedError
from console_ui.storage.quota import QuotaExceededError, release

_log = logging.getLogger(__name__)

_SPOOL_BYTES = 4 << 30
# Bytes that are in memory while they are stored. Two of the largest packs do not fit: of these,
# one at a time, and room for the usual ones beside it.
_SAVED_AT_ONCE_BYTES = 384 << 20
_TURNS = 256
# Two for each device's usual five connections and a few retries; the rest wait.
_TURNS_OF_A_VAULT = 16
_SLICE_BYTES = 64 * 1024


class Gateway:
    """One for each server process. ``spool_folder`` is where uploads wait; ``tokens`` knows
    linked devices.
    """

    def __init__(self, *, spool_folder: Path, tokens: DeviceTokens | None = None) -> None:
        self._spool_folder = spool_folder
        self._tokens = tokens
        self._work = Work()
        self._turns = NestedShares(_TURNS, each=_TURNS_OF_A_VAULT)
        self._spooled = NestedShares(_SPOOL_BYTES)
        self._saving = Shares(_SAVED_AT_ONCE_BYTES)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        request = Request.of(scope)
        try:
            route = _route(request)
            header = request.headers.get("authorization", "")
            visit = Visit(header, route.vault, request.address, self._tokens)
            async with self._turn(visit) as access:
                try:
                    answer = await self._answer(request, receive, route, visit, access)
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

    @asynccontextmanager
    async def _turn(self, visit: Visit) -> AsyncIterator[Access]:
        """One device's many requests wait for each other, and strangers for nobody's turn."""
        access = await self._work.record(visit.authorise)
        vault = access.vault
        async with self._turns.lend(vault.location_id, vault.pk) as took_time:
            # What a request was allowed when it came may be forbidden when its turn comes.
            yield await self._work.record(visit.authorise) if took_time else access

    async def _answer(
        self, request: Request, receive: Receive, route: Route, visit: Visit, access: Access
    ) -> Answer:
        work, key, location = self._work, route.key, access.vault.location_id
        match request.method:
            case "POST" if key is not None:
                return await self._take_in(request, receive, key, visit, access)
            case "POST" if route.kind is None:
                return await work.write(location, lambda: writing.prepare(access))
            case "DELETE" if key is not None:
                again = visit.authorise
                return await work.write(location, lambda: writing.delete(access, again, key))
            case "DELETE" if route.kind is None:
                return await work.record(lambda: writing.refuse_whole(access))
            case "HEAD" if key is not None:
                return await reading.measure(access, key, work)
            case "GET" if key is not None:
                return await reading.read(request, access, key, work)
            case "GET" if route.kind is not None:
                return await reading.list_objects(request, access, route.kind, work)
            case _:
                raise Refusal(405, "The storage gateway does not do that here.")

    async def _take_in(
        self, request: Request, receive: Receive, key: ObjectKey, visit: Visit, access: Access
    ) -> Answer:
        access.require_change(key.kind)
        length, location = writing.announced_length(request, key), access.vault.location_id
        async with (
            self._spooled.lend(location, access.vault.pk, length),
            self._reserved(access, key, length) as upload,
        ):
            spooled = await spool(receive, length, self._spool_folder, self._work, Pace())
            with spooled.file as file:
                writing.require_name(key, spooled.sha256)
                async with self._saving.lend(location, length):
                    return await self._work.write(
                        location,
                        lambda: writing.add(access, visit.authorise, key, file, length, upload),
                    )

    @asynccontextmanager
    async def _reserved(
        self, access: Access, key: ObjectKey, length: int
    ) -> AsyncIterator[Upload | None]:
        """Room in the vault, for as long as the upload takes."""
        upload = await self._work.record(lambda: writing.reserve(access, key, length))
        try:
            yield upload
        finally:
            if upload is not None:
                await self._work.record(lambda: release(upload))


def _route(request: Request) -> Route:
    route = parse(request.path)
    if route is None:
        raise Refusal(404, "No address of the storage gateway.")
    return route


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
        pace = Pace()
        try:
            async for piece in answer.stream:
                await _send_slowly(piece, send, pace)
        except EverbootError as exc:
            # The status is sent: only a body that ends too early can still tell.
            _log.warning("a download broke off: %s", exc.message)
            raise Disconnected from exc
    body = answer.body if with_body else b""
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_slowly(piece: bytes, send: Send, pace: Pace) -> None:
    """In slices, each when the one before has left: a transport would take in everything."""
    for start in range(0, len(piece), _SLICE_BYTES):
        part = piece[start : start + _SLICE_BYTES]
        message = {"type": "http.response.body", "body": part, "more_body": True}
        try:
            await pace.wait(send(message))
        except TimeoutError:
            raise Disconnected from None
        pace.moved(len(part))


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
