"""Asking an unlocked vault: the console's side of the socket, from whichever process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from backup_agent.errors import EverbootError
from console_ui.unlocked import frames
from console_ui.unlocked.door import connected, is_own_user
from console_ui.unlocked.frames import BrokenFrameError
from console_ui.unlocked.messages import (
    Answer,
    Done,
    Failed,
    Folder,
    Hello,
    Hits,
    Piece,
    Points,
    Preview,
    Reference,
    Request,
    SendZip,
    Zip,
    ZipDone,
    ZipHead,
    ZipState,
)

_ANSWER_SECONDS = 60
_PLANNING_SECONDS = 600
_AnswerT = TypeVar("_AnswerT", Points, Folder, Hits, Preview, Reference, ZipHead, ZipState, Done)


class VaultLockedError(EverbootError):
    """Nobody holds the key any more: locked, idle for too long, or crashed."""

    code = "unlocked.locked"

    def __init__(self) -> None:
        super().__init__("The vault is locked again.", hint="Unlock it once more.")


class RefusedByVaultError(EverbootError):
    """What was asked cannot be answered; ``reason`` is the code of the engine's error."""

    code = "unlocked.refused"

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message, hint=failed.hint)
        self.reason = failed.code


class BrokenOffError(EverbootError):
    """A zip ended before its end: what was sent of it is no zip."""

    code = "unlocked.broken_off"


@dataclass(frozen=True, slots=True)
class UnlockedDoor:
    """Where one unlocked vault is asked, and what has to be said there."""

    folder: Path
    name: str
    secret: str = field(repr=False)

    def ask(self, request: Request, kind: type[_AnswerT]) -> _AnswerT:
        """Raises ``VaultLockedError``, ``RefusedByVaultError``."""
        try:
            with self._asked(request) as stream:
                return _expected(frames.receive(stream), kind)
        except (OSError, BrokenFrameError) as exc:
            raise VaultLockedError from exc

    def zip(self, selection: str) -> OfferedZip:
        """The selection as a zip, of which nothing is sent yet. Raises as ``ask`` does."""
        try:
            stream = self._asked(Zip(selection))
            try:
                # A selection of a million files takes its time to be looked through.
                stream.settimeout(_PLANNING_SECONDS)
                head = _expected(frames.receive(stream), ZipHead)
            except BaseException:
                stream.close()
                raise
        except (OSError, BrokenFrameError) as exc:
            raise VaultLockedError from exc
        return OfferedZip(stream, head)

    def _asked(self, request: Request) -> socket.socket:
        stream = connected(self.folder, self.name, timeout_seconds=_ANSWER_SECONDS)
        try:
            _say(stream, self.secret, request)
        except BaseException:
            stream.close()
            raise
        return stream


class OfferedZip:
    """A zip whose length is known. Take it, or close it."""

    def __init__(self, stream: socket.socket, head: ZipHead) -> None:
        self._stream = stream
        self.head = head

    def take(self, start: int, end: int) -> ZipStream:
        """Its bytes from ``start`` to before ``end``.

        The first are there when this returns, so that a failure can still be told. Raises as
        ``UnlockedDoor.ask`` does.
        """
        try:
            self._stream.settimeout(_PLANNING_SECONDS)
            frames.send(self._stream, msgspec.msgpack.encode(SendZip(start, end)))
            first = _expected_piece(frames.receive(self._stream))
        except (OSError, BrokenFrameError) as exc:
            self.close()
            raise VaultLockedError from exc
        except BaseException:
            self.close()
            raise
        return ZipStream(self._stream, first)

    def close(self) -> None:
        self._stream.close()


class ZipStream:
    """The pieces of a zip. Only a few are on their way: who reads slowly slows the vault down."""

    def __init__(self, stream: socket.socket, first: Piece | ZipDone) -> None:
        self._stream = stream
        self._first = first

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Empty pieces are signs of life. Raises ``BrokenOffError`` where something was damaged or
        the vault locked.
        """
        answer = self._first
        self._stream.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=self._stream)
        try:
            while isinstance(answer, Piece):
                yield answer.data
                # What lies in the buffer would go out without a look at whether anybody is there.
                await asyncio.sleep(0)
                answer = _expected_piece(await frames.receive_soon(reader))
        except (OSError, BrokenFrameError) as exc:
            raise BrokenOffError("The vault was locked while a zip was being sent.") from exc
        except RefusedByVaultError as exc:
            raise BrokenOffError(exc.message, hint=exc.hint) from exc
        finally:
            # Not only closed: what is still on its way is of no use to anybody.
            writer.transport.abort()

    def close(self) -> None:
        """For a zip that nobody came for."""
        self._stream.close()


def _say(stream: socket.socket, secret: str, request: Request) -> None:
    if not is_own_user(stream):
        # Somebody else listens there: the secret is not for them.
        raise VaultLockedError
    frames.send(stream, msgspec.msgpack.encode(Hello(secret)))
    frames.send(stream, msgspec.msgpack.encode(request))


def _expected(message: bytes, kind: type[_AnswerT]) -> _AnswerT:
    answer = _answer(message)
    if not isinstance(answer, kind):
        raise BrokenFrameError
    return answer


def _expected_piece(message: bytes) -> Piece | ZipDone:
    answer = _answer(message)
    if not isinstance(answer, Piece | ZipDone):
        raise BrokenFrameError
    return answer


def _answer(message: bytes) -> Answer:
    try:
        answer: Answer = msgspec.msgpack.decode(message, type=Answer)
    except msgspec.MsgspecError as exc:
        raise BrokenFrameError from exc
    if isinstance(answer, Failed):
        raise RefusedByVaultError(answer)
    return answer
