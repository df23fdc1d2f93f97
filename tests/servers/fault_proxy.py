"""An HTTP proxy that stands before a real server and breaks what it is told to break.

One connection carries one request: the whole request is read, sent on, and
the whole answer read before anything goes back, so that a fault hits exactly
where its name says. The Host header passes unchanged, as S3 signatures cover it.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias, assert_never
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"


class Fault(Enum):
    """What can go wrong with one request."""

    RESET = auto()
    """The connection is reset before the server hears of the request."""
    CUT_REQUEST = auto()
    """The server gets half of the body and then its end; once it has done what it does about
    that, the line is dead on the client's side, too. At once would be unlike life, where clients
    pause before they try again: rclone removes half an upload after the whole one has come.
    """
    LOST_ANSWER = auto()
    """The server has done it; the client sees a reset."""
    HANG = auto()
    """Nothing happens until ``FaultProxy.release``, then all goes well."""
    TRUNCATED = auto()
    """The answer's body ends half-way, short of its Content-Length."""
    SHORTENED = auto()
    """The same with a Content-Length that fits: only who knows the length can tell."""
    CORRUPT_REQUEST = auto()
    """One byte in the middle of the request's body is another one."""
    CORRUPT_ANSWER = auto()
    """One byte in the middle of the answer's body is another one."""


@dataclass(frozen=True, slots=True)
class Respond:
    """A status instead of the server's answer; the server hears nothing."""

    status: int


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer trickles in."""

    bytes_per_second: int


@dataclass(frozen=True, slots=True)
class Late:
    """The server hears of the request only so much later: a long way there and back."""

    seconds: float


Injection: TypeAlias = Fault | Respond | Slow | Late


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came by, and what was done to it."""

    method: str
    target: str
    injected: Injection | None


@dataclass(slots=True)
class _Rule:
    """Matches by method and target; lets ``skip`` requests pass, then hits ``times`` of them."""

    injection: Injection
    method: str
    pattern: re.Pattern[str]
    skip: int
    times: float

    def hits(self, method: str, target: str) -> bool:
        if self.method not in ("", method) or not self.pattern.search(target):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class FaultProxy:
    """Stands before ``upstream``; made by :func:`fault_proxy`.

    ``origin`` is where clients go (``http://127.0.0.1:port``), ``seen`` the requests so far.
    """

    def __init__(self, upstream: str) -> None:
        url = urlsplit(upstream)
        self._upstream = (url.hostname, url.port)
        self._rules: list[_Rule] = []
        self.seen: list[Seen] = []
        self.origin = ""

    def inject(
        self,
        injection: Injection,
        *,
        method: str = "",
        path: str = "",
        skip: int = 0,
        times: float = 1,
    ) -> None:
        """Break the next request of that method (any if empty) whose target matches ``path``.

        ``skip`` of those are let pass first, then ``times`` are broken
        (``math.inf``: all of them).
        """
        self._rules.append(_Rule(injection, method, re.compile(path), skip, times))

    def calm(self) -> None:
        """Break nothing any more, and forget what was seen."""
        self._rules = []
        self.seen = []

    def release(self) -> None:
        """Let go on what hangs."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def serve(self, started: threading.Event) -> None:
        """Serve until ``stop``; ``started`` is set when ``origin`` is known."""
        self._loop = asyncio.get_running_loop()
        self._released, self._stopped = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await self._stopped.wait()
        server.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _connection(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            # Either side may go away at any time; that is what this proxy is for.
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._request(reader, client)
                await client.drain()
        finally:
            client.close()

    async def _request(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_HEAD_END)
        if _header(head, b"Expect"):
            client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _read_body(reader, head)
        method, target, _version = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        rule = next((rule for rule in self._rules if rule.hits(method, target)), None)
        injection = rule.injection if rule else None
        self.seen.append(Seen(method, target, injection))
        match injection:
            case None:
                client.write(await self._ask(head, body))
            case Respond(status):
                client.write(_answer(status))
            case Slow(bytes_per_second):
                await _trickle(client, await self._ask(head, body), bytes_per_second)
            case Late(seconds):
                await asyncio.sleep(seconds)
                client.write(await self._ask(head, body))
            case Fault.RESET:
                _reset(client)
            case Fault.CUT_REQUEST:
                await self._ask(head, body[: len(body) // 2], cut=True)
                _reset(client)
            case Fault.LOST_ANSWER:
                await self._ask(head, body)
                _reset(client)
            case Fault.HANG:
                await self._released.wait()
                client.write(await self._ask(head, body))
            case Fault.TRUNCATED:
                client.write(_halved(await self._ask(head, body)))
            case Fault.SHORTENED:
                client.write(_with_fitting_length(_halved(await self._ask(head, body))))
            case Fault.CORRUPT_REQUEST:
                client.write(await self._ask(head, _corrupt(body)))
            case Fault.CORRUPT_ANSWER:
                answer_head, end, answer_body = (await self._ask(head, body)).partition(_HEAD_END)
                client.write(answer_head + end + _corrupt(answer_body))
            case _:
                assert_never(injection)

    async def _ask(self, head: bytes, body: bytes, *, cut: bool = False) -> bytes:
        """The server's whole answer, byte for byte; with ``cut``, to a request without its end."""
        reader, server = await asyncio.open_connection(*self._upstream)
        # A server may answer, and close, before it has read everything: listen while speaking.
        answer = asyncio.create_task(_read_all(reader))
        try:
            with suppress(ConnectionError):
                server.write(_for_one_request(head) + body)
                await server.drain()
                if cut:
                    server.write_eof()
            return await answer
        finally:
            answer.cancel()
            server.close()


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy before ``http://host:port``, in a thread of its own until the block ends."""
    proxy, started = FaultProxy(upstream), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(started)), name="fault-proxy")
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()


def _header(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?im)^" + name + rb":[ \t]*(.*?)[ \t]*\r$", head)
    return found.group(1) if found else b""


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side has ended, in good order or not."""
    pieces = []
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            pieces.append(piece)
    return b"".join(pieces)


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if _header(head, b"Transfer-Encoding").lower() != b"chunked":
        return await reader.readexactly(int(_header(head, b"Content-Length") or 0))
    pieces = []
    while True:
        size = await reader.readuntil(b"\r\n")
        piece = await reader.readexactly(int(size, 16) + 2)
        pieces += [size, piece]
        if piece == b"\r\n":
            return b"".join(pieces)


def _for_one_request(head: bytes) -> bytes:
    """The head with a demand to close the connection, so that the answer ends where it ends."""
    kept = re.sub(rb"(?im)^(connection|expect):.*\r\n", b"", head)
    return kept.removesuffix(b"\r\n") + b"Connection: close\r\n\r\n"


def _answer(status: int) -> bytes:
    lines = (f"HTTP/1.1 {status} Injected", "Content-Length: 0", "Connection: close", "", "")
    return "\r\n".join(lines).encode()


def _halved(answer: bytes) -> bytes:
    head, end, body = answer.partition(_HEAD_END)
    return head + end + body[: len(body) // 2]


def _with_fitting_length(answer: bytes) -> bytes:
    head, end, body = answer.partition(_HEAD_END)
    length = b"Content-Length: %d" % len(body)
    # An answer without a body (to HEAD) tells the length of what there is: leave it alone.
    return (re.sub(rb"(?im)^content-length:[^\r]*", length, head) if body else head) + end + body


def _corrupt(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes(b ^ 1 for b in body[middle : middle + 1]) + body[middle + 1 :]


async def _trickle(client: asyncio.StreamWriter, answer: bytes, bytes_per_second: int) -> None:
    step = max(1, bytes_per_second // 20)
    for start in range(0, len(answer), step):
        client.write(answer[start : start + step])
        await client.drain()
        await asyncio.sleep(step / bytes_per_second)


def _reset(client: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    client.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    client.transport.abort()
