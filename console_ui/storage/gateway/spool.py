"""An upload on its way in: streamed into a file that vanishes with the request."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from console_ui.storage.gateway.messages import Disconnected, Receive, Refusal
from console_ui.storage.gateway.pace import Pace
from console_ui.storage.gateway.work import Work

_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Spooled:
    """A whole body in a file, and its SHA-256 in hex."""

    file: BinaryIO
    sha256: str


async def spool(receive: Receive, length: int, folder: Path, work: Work, pace: Pace) -> Spooled:
    """Take in a body of exactly ``length`` bytes. The caller closes the file.

    Raises ``Refusal`` for a body of another length, or one that comes too slowly;
    ``Disconnected``.
    """
    # Nameless from the start: nothing is left behind, however the process ends.
    file: BinaryIO = await work.file(lambda: tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 (the caller's)
    try:
        return Spooled(file, await _fill(file, receive, length, work, pace))
    except BaseException:
        file.close()
        raise


async def _fill(file: BinaryIO, receive: Receive, length: int, work: Work, pace: Pace) -> str:
    digest, batch, left, more = hashlib.sha256(), bytearray(), length, True

    def write() -> None:
        digest.update(batch)
        file.write(batch)

    while more:
        piece, more = await _receive(receive, pace)
        left -= len(piece)
        if left < 0:
            raise Refusal(400, "The body is longer than its Content-Length.")
        batch += piece
        if len(batch) >= _BATCH_BYTES or (batch and not more):
            # Until the file has it, nothing more is taken in: that slows the sender down.
            await work.file(write)
            batch.clear()
    if left:
        raise Refusal(400, "The body is shorter than its Content-Length.")
    return digest.hexdigest()


async def _receive(receive: Receive, pace: Pace) -> tuple[bytes, bool]:
    try:
        message = await pace.wait(receive())
    except TimeoutError:
        raise Refusal(408, "The upload comes too slowly.") from None
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    pace.moved(len(body))
    return body, message.get("more_body", False)
