"""Refusing bodies that no page asks for, before they fill memory or disk.

Django reads a whole body into a file before the first page sees the request. Here it is counted
on its way, and the connection is answered and closed at the first byte too many. What is meant
to be long (backups through the storage gateway) does not pass here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from console_ui.django_settings import LONGEST_BODY_BYTES
from console_ui.web.content_policy import CONTENT_POLICY

Message: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]

_TOLD = "This request is longer than the console takes. Nothing was changed."


class _TooLongError(Exception):
    """The body has more bytes than allowed; never leaves this module."""


class LimitedBodies:
    """An ASGI application that answers 413 for bodies of more than ``most_bytes``."""

    def __init__(self, application: Application, *, most_bytes: int = LONGEST_BODY_BYTES) -> None:
        self._application = application
        self._most_bytes = most_bytes

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if _announced_bytes(scope) > self._most_bytes:
            await _refuse(scope, send)
            return
        try:
            await self._application(scope, self._counted(receive), send)
        except _TooLongError:
            # Raised while the body is read, which is before any answer has begun.
            await _refuse(scope, send)

    def _counted(self, receive: Receive) -> Receive:
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most_bytes:
                raise _TooLongError
            return message

        return counting


def _announced_bytes(scope: Any) -> int:
    """What Content-Length says; 0 where it says nothing, for then only counting tells."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _refuse(scope: Any, send: Send) -> None:
    kind, body = b"text/plain; charset=utf-8", f"{_TOLD}\n".encode()
    if scope["path"].startswith("/api/"):
        # As the API says no, although it never sees this request.
        kind, body = (
            b"application/json",
            json.dumps({"code": "too_long", "message": _TOLD}).encode(),
        )
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", CONTENT_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
