"""Messages on a stream: each behind its length, 4 bytes, little endian."""

from __future__ import annotations

import asyncio
import socket
from typing import IO

LENGTH_BYTES = 4
LARGEST = 64 << 20
"""Bytes of one message: a preview and a page of names are far smaller."""


class BrokenFrameError(Exception):
    """The other side is gone, or does not speak this language."""


def send(stream: socket.socket, message: bytes) -> None:
    """Raises ``OSError`` when the other side is gone."""
    stream.sendall(len(message).to_bytes(LENGTH_BYTES, "little") + message)


def receive(stream: socket.socket, *, largest: int = LARGEST) -> bytes:
    """The next message. Raises ``BrokenFrameError``, ``OSError``."""
    return _received(stream, _checked(_received(stream, LENGTH_BYTES), largest))


async def receive_soon(stream: asyncio.StreamReader) -> bytes:
    """As ``receive``, for who serves others meanwhile."""
    try:
        head = await stream.readexactly(LENGTH_BYTES)
        return await stream.readexactly(_checked(head, LARGEST))
    except asyncio.IncompleteReadError as exc:
        raise BrokenFrameError from exc


def write(pipe: IO[bytes], message: bytes) -> None:
    """Raises ``OSError`` when nobody reads any more."""
    pipe.write(len(message).to_bytes(LENGTH_BYTES, "little") + message)
    pipe.flush()


def read(pipe: IO[bytes], *, largest: int = LARGEST) -> bytes:
    """The next message in a pipe. Raises ``BrokenFrameError`` at its end."""
    head = pipe.read(LENGTH_BYTES)
    size = _checked(head, largest) if len(head) == LENGTH_BYTES else -1
    message = pipe.read(size) if size >= 0 else b""
    if len(message) != size:
        raise BrokenFrameError
    return message


def _received(stream: socket.socket, size: int) -> bytes:
    received = bytearray(size)
    view = memoryview(received)
    while view:
        count = stream.recv_into(view)
        if not count:
            raise BrokenFrameError
        view = view[count:]
    return bytes(received)


def _checked(head: bytes, largest: int) -> int:
    size = int.from_bytes(head, "little")
    if size > largest:
        raise BrokenFrameError
    return size
