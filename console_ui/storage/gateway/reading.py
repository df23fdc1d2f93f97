"""HEAD and GET of objects, and listings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from backup_agent.errors import ObjectNotFoundError
from backup_agent.services.vault import FileKind, ObjectInfo, ObjectKey
from console_ui.storage import catalog, quota
from console_ui.storage.gateway.access import Access, Rights
from console_ui.storage.gateway.byte_range import Span, wanted_span
from console_ui.storage.gateway.messages import Answer, Refusal, Request
from console_ui.storage.gateway.work import Work
from console_ui.storage.models import State, StoredObject
from console_ui.storage.stores import stores

REDIRECT_WISH = "x-everboot-redirect"
"""A client that sends this header (with ``yes``) takes an address elsewhere for an answer."""

_REDIRECT_SECONDS = 900
_BINARY = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
_V1 = "application/vnd.x.restic.rest.v1"
_V2 = "application/vnd.x.restic.rest.v2"
_LINES = 2000
_SETTLED_AFTER = timedelta(minutes=5)
_BROWSED_FOR = timedelta(hours=13)
"""An unlocked vault is locked after 12 hours at the latest; nothing is purged before 14 days."""


async def measure(access: Access, key: ObjectKey, work: Work) -> Answer:
    """HEAD: whether it is there, and its length."""
    line = await work.record(lambda: _visible_or_404(access, key))
    size = await work.read(access.vault.location_id, lambda: stores.of(access.vault).size(key))
    if size is None:
        await work.record(lambda: _forget_lost_lock(line))
        raise _absent(key)
    return Answer(headers=_BINARY, length=line.size)


async def read(request: Request, access: Access, key: ObjectKey, work: Work) -> Answer:
    """GET: all of it, a range of it, or an address to get it from."""
    line = await work.record(lambda: _visible_or_404(access, key))
    try:
        span = wanted_span(request.headers.get("range"), line.size)
    except ValueError:
        unreached = {"Content-Range": f"bytes */{line.size}"}
        raise Refusal(416, "The object is shorter than that.", unreached) from None
    if _wants_redirect(request, access, key):
        address = await work.read(access.vault.location_id, lambda: _read_address(access, key))
        if address is not None:
            return Answer(307, {"Location": address, "Cache-Control": "no-store"})
    try:
        return await _stream(access, key, line.size, span, work)
    except ObjectNotFoundError:
        await work.record(lambda: _forget_lost_lock(line))
        raise


async def _stream(
    access: Access, key: ObjectKey, size: int, span: Span | None, work: Work
) -> Answer:
    wanted, location = span or Span(0, size), access.vault.location_id
    store = await work.record(lambda: stores.of(access.vault))
    pieces = store.read(key, wanted.start, wanted.end)
    # The first piece before the status, while an error can still be told.
    first = await work.read(location, lambda: next(pieces, b""))

    async def stream() -> AsyncIterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = await work.read(location, lambda: next(pieces, b""))

    headers = dict(_BINARY)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    status = 200 if span is None else 206
    return Answer(status, headers, stream=stream(), length=wanted.end - wanted.start)


async def list_objects(request: Request, access: Access, kind: FileKind, work: Work) -> Answer:
    """The visible objects: names alone (version 1), or with sizes (version 2)."""
    with_sizes = _V2 in request.headers.get("accept", "")
    if kind is FileKind.PACK:
        vault = access.vault
        await work.record(lambda: quota.packs_were_listed(vault, now=timezone.now()))
    lines = catalog.listing(access.vault, kind)
    first = await work.record(lambda: list(islice(lines, _LINES)))

    async def stream() -> AsyncIterator[bytes]:
        batch, opening = first, b"["
        while batch:
            yield opening + b",".join(_line(info, with_sizes=with_sizes) for info in batch)
            batch, opening = await work.record(lambda: list(islice(lines, _LINES))), b","
        yield b"[]" if opening == b"[" else b"]"

    return Answer(headers={"Content-Type": _V2 if with_sizes else _V1}, stream=stream())


def _line(info: ObjectInfo, *, with_sizes: bool) -> bytes:
    return json.dumps({"name": info.name, "size": info.size} if with_sizes else info.name).encode()


def _visible_or_404(access: Access, key: ObjectKey) -> StoredObject:
    line = catalog.find(access.vault, key)
    if line is None or not (line.state == State.VISIBLE or _is_still_browsed(access, line)):
        raise _absent(key)
    return line


def _is_still_browsed(access: Access, line: StoredObject) -> bool:
    """Hidden so lately that who browses may have begun before, and counts on it."""
    return (
        access.rights is Rights.BROWSE
        and line.state == State.HIDDEN
        and line.hidden_at is not None
        and line.hidden_at > timezone.now() - _BROWSED_FOR
    )


def _forget_lost_lock(line: StoredObject) -> None:
    """A lock that is gone where it lay would be listed for ever, and stop whoever reads it.

    One that was just stored may be on its way to where the storage looks for it.
    """
    is_new = line.stored_at is not None and line.stored_at > timezone.now() - _SETTLED_AFTER
    if line.kind == FileKind.LOCK.value and not is_new:
        catalog.forget(line)


def _absent(key: ObjectKey) -> Refusal:
    return Refusal(404, f"There is no {key.path} in this vault.")


def _wants_redirect(request: Request, access: Access, key: ObjectKey) -> bool:
    """Only packs: all others are small, and asked for one after the other."""
    return (
        key.kind is FileKind.PACK
        and access.vault.location.gives_read_addresses
        and request.headers.get(REDIRECT_WISH) == "yes"
    )


def _read_address(access: Access, key: ObjectKey) -> str | None:
    return stores.of(access.vault).read_address(key, seconds=_REDIRECT_SECONDS)
