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


def write(pipe: IO[bytes], message: bytes | bytearray) -> None:
    """Without a copy of the message. Raises ``OSError`` when nobody reads any more."""
    for part in (len(message).to_bytes(LENGTH_BYTES, "little"), message):
        unwritten = memoryview(part)
        while unwritten:
            # A pipe without a buffer may take less than all.
            unwritten = unwritten[pipe.write(unwritten) :]
    pipe.flush()


def read(pipe: IO[bytes], *, largest: int = LARGEST) -> bytes:
    """The next message in a pipe. Raises ``BrokenFrameError`` at its end."""
    return _read(pipe, _checked(_read(pipe, LENGTH_BYTES), largest))


def _read(pipe: IO[bytes], size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        piece = pipe.read(size - len(pieces))
        if not piece:
            raise BrokenFrameError
        pieces += piece
    return bytes(pieces)


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
